"""The partners' servers, for every test of delivery."""

from tests.delivery.servers import s3_server, sftp_server, store

__all__ = ["s3_server", "sftp_server", "store"]

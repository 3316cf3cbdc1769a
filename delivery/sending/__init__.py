"""
Sending a finished file to where its recipient takes it: an SFTP server, an S3 bucket, a folder.

A recipient scans its folder all the time, and a half-written file is taken for a whole one. So a file is uploaded
where no scanner looks, compared in size, and becomes visible in one step, right before which the caller is asked a
last time. A cut connection costs time and no more: the next try, or the next night, goes on from what is there.
"""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from anonymizers.errors import SendRefused
from delivery.sending.folder import Folder
from delivery.sending.transport import Credentials, Patience, Sending, Sent, Transport

__all__ = ["Credentials", "Patience", "Sent", "Transport", "open_transport"]


def open_transport(
    url: str,
    credentials: Credentials = Credentials(),
    host_key: str = "",
    patience: Patience = Patience(),
    own: Any = None,
) -> Transport:
    """
    The transport for an address; nothing is connected to yet.

    Args:
        url: ``sftp://host:port/folder``, ``s3://bucket/prefix``, ``file:///folder`` or a path. The folder must
            be there.

        credentials: For SFTP and S3.

        host_key: For SFTP, the server's public key as in ``ssh-ed25519 AAAA…``. There is no list of known hosts.

        patience: Of its tries.

        own: A connection to a store of ours, which is closed afterwards; instead of credentials.

    Raises:
        SendRefused: the address or the credentials are not of these forms.
        HostKeyRefused: no host key is pinned.
    """
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise SendRefused("the address holds more than server and folder; give login and password apart from it")
    # Their libraries take up to two seconds to import, and most tasks of a night send nothing.
    if parts.scheme == "sftp":
        from delivery.sending.sftp import server_at

        return Sending(server_at(parts, credentials, host_key, patience), patience)
    if parts.scheme == "s3":
        from delivery.sending.bucket import bucket_at

        return Sending(bucket_at(parts, credentials, patience, own), patience)
    if parts.scheme in ("", "file") and not parts.netloc and parts.path:
        return Sending(Folder(Path(unquote(parts.path) if parts.scheme else url)), patience)
    raise SendRefused("the address is none of sftp://host:port/folder, s3://bucket/prefix, file:///folder")

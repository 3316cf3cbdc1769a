"""An S3 API as a process of its own, kept in memory: `python -m tests.nights.object_store PORT BUCKET`."""

import logging
import sys
import time

import boto3
from moto.server import ThreadedMotoServer

from tests.delivery.servers import REGION


def main(port: str, bucket: str) -> None:
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    ThreadedMotoServer(ip_address="127.0.0.1", port=int(port), verbose=False).start()
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name=REGION)
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main(*sys.argv[1:])

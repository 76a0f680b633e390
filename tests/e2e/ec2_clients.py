"""Unmodified clients of EC2: the command line, boto3, libcloud, curl. A test skips what is not installed."""

import importlib.util
import json
import os
import pathlib
import subprocess
import unittest

AWS = "/usr/bin/aws"
# Where npm put it, if somebody had it do so.
# Where scripts/setup-node-clients has put it.
JS_MODULES = pathlib.Path(__file__).resolve().parents[2] / ".tools" / "clients" / "node_modules"
TIMEOUT_S = 120
REGION = "us-east-1"


def needs_module(name: str):
    return unittest.skipUnless(importlib.util.find_spec(name), f"python3 has no {name}; scripts/setup --clients installs it")


needs_aws = unittest.skipUnless(os.path.exists(AWS), f"there is no {AWS}; scripts/setup --clients installs it")
needs_js = unittest.skipUnless((JS_MODULES / "@aws-sdk" / "client-ec2").is_dir(),
                               f"there is no @aws-sdk/client-ec2 in {JS_MODULES}; scripts/setup-node-clients installs it")


def environment(key_id: str, secret: str = "x", token: str = "") -> dict:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ours.update(AWS_ACCESS_KEY_ID=key_id, AWS_SECRET_ACCESS_KEY=secret, AWS_DEFAULT_REGION=REGION,
                AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null")
    return {**ours, "AWS_SESSION_TOKEN": token} if token else ours


def run_aws(address: str, words: list, key_id: str, prefix: str = ""):
    """The ended process of `aws ec2`."""
    return subprocess.run([AWS, "ec2", *words, "--endpoint-url", f"http://{address}{prefix}"], env=environment(key_id),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S)


def aws(address: str, words: list, key_id: str, prefix: str = ""):
    """What `aws ec2` prints, which succeeds: parsed, or as it is with --output text."""
    ended = run_aws(address, words, key_id, prefix)
    if ended.returncode != 0:
        raise AssertionError(f"aws ec2 {' '.join(words)}: exit code {ended.returncode}\n{ended.stderr}")
    return ended.stdout if "text" in words else json.loads(ended.stdout or "null")


def boto(address: str, key_id: str, secret: str = "x", token: str = "", region: str = REGION, retries: str = "legacy"):
    """A client of boto3, with its own retries."""
    import boto3
    from botocore.config import Config
    return boto3.client("ec2", region_name=region, endpoint_url=f"http://{address}", aws_access_key_id=key_id,
                        aws_secret_access_key=secret, aws_session_token=token or None,
                        config=Config(retries={"mode": retries}))

"""Certificate authorities and certificates, made by openssl."""

import pathlib
import subprocess

import grpc


def _openssl(*arguments: str) -> None:
    ended = subprocess.run(["openssl", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    if ended.returncode != 0:
        raise AssertionError(f"openssl {' '.join(arguments)}: {ended.stderr}")


class Certificate:
    """The files of a certificate and its key, PEM."""

    def __init__(self, stem: pathlib.Path):
        self.cert = stem.with_suffix(".pem")
        self.key = stem.with_suffix(".key")

    def key_lines(self) -> list:
        """The lines of the key that are its secret."""
        return [line for line in self.key.read_text().splitlines() if line and not line.startswith("-----")]


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


# A key that parses, and that no handshake works with.
WEAK_KEY = ("-newkey", "rsa:1024", "-nodes")


class Authority(Certificate):
    def __init__(self, folder: pathlib.Path, name: str):
        super().__init__(folder / name)
        self._folder = folder
        _openssl("req", "-x509", *_NEW_KEY, "-keyout", str(self.key), "-out", str(self.cert), "-days", "30",
                 "-subj", f"/CN={name}")

    def issue(self, name: str, subject: str, names: str = "", days: int = 30, new_key=_NEW_KEY) -> Certificate:
        """A certificate, in files of this name; `names`: subjectAltName as openssl writes it, such as `IP:127.0.0.1`;
        `new_key`: the flags that make its key."""
        issued = Certificate(self._folder / name)
        request, extensions = self._folder / f"{name}.csr", self._folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\n" if names else "basicConstraints=CA:FALSE\n")
        _openssl("req", *new_key, "-keyout", str(issued.key), "-out", str(request), "-subj", subject)
        _openssl("x509", "-req", "-in", str(request), "-CA", str(self.cert), "-CAkey", str(self.key), "-CAcreateserial",
                 "-days", str(days), "-out", str(issued.cert), "-extfile", str(extensions))
        issued.key.chmod(0o600)
        return issued

    def issue_server(self, name: str = "server", **more) -> Certificate:
        return self.issue(name, "/CN=hapaxd", "IP:127.0.0.1,DNS:localhost", **more)

    def credentials(self, own: Certificate = None) -> grpc.ChannelCredentials:
        """For a client that trusts this authority, and shows `own`."""
        if own is None:
            return grpc.ssl_channel_credentials(self.cert.read_bytes())
        return grpc.ssl_channel_credentials(self.cert.read_bytes(), own.key.read_bytes(), own.cert.read_bytes())


def tls_flags(server: Certificate, client_ca: Certificate = None) -> tuple:
    """Those of hapaxd."""
    flags = (f"--tls_cert_file={server.cert}", f"--tls_key_file={server.key}")
    return flags if client_ca is None else (*flags, f"--tls_client_ca_file={client_ca.cert}")

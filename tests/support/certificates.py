"""Certificates for one run of the tests, made by openssl: an authority, a broker on 127.0.0.1, and another authority
that signed nothing."""
import subprocess

DAYS = "2"
KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def make(folder):
    """ca.pem, stranger.pem (authorities) and broker.pem (key and certificate) in the folder."""
    def request(name, *options):
        subprocess.run(["openssl", "req", "-x509", *KEY, "-days", DAYS, "-subj", f"/CN={name}", *options, "-keyout",
                        folder / f"{name}.key", "-out", folder / f"{name}.pem"], check=True, capture_output=True)
    request("ca")
    request("stranger")
    request("server", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-addext", "subjectAltName=IP:127.0.0.1",
            "-addext", "basicConstraints=critical,CA:FALSE")
    (folder / "broker.pem").write_text((folder / "server.key").read_text() + (folder / "server.pem").read_text())

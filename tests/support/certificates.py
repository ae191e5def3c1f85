"""Certificates for one run of the tests, made by openssl: an authority, a broker on 127.0.0.1, and another authority
that signed nothing."""
import subprocess

DAYS = "2"
KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def authority(folder, name):
    openssl("req", "-x509", *KEY, "-days", DAYS, "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem")


def sign(folder, name, names="IP:127.0.0.1", days=DAYS):
    """name.pem and name.key, signed by the authority ca, for these names; of -1 day it has expired."""
    request = folder / f"{name}.csr"
    openssl("req", *KEY, "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:FALSE",
            "-keyout", folder / f"{name}.key", "-out", request)
    openssl("x509", "-req", "-in", request, "-copy_extensions", "copyall", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
            "-days", days, "-out", folder / f"{name}.pem")


def make(folder):
    """ca.pem, stranger.pem (authorities) and broker.pem (key and certificate) in the folder."""
    authority(folder, "ca")
    authority(folder, "stranger")
    sign(folder, "server")
    (folder / "broker.pem").write_text((folder / "server.key").read_text() + (folder / "server.pem").read_text())

#!/usr/bin/python3
"""Sends the mails that Relance decides on (README.md beside this file): mail.py --help

An action becomes a row of a SQLite file, under its ce_id, and only then the group's offset is committed: what Kafka gives again
is known already. Mails are sent from the rows, so one that has to wait keeps no other waiting.

At most once. Where we die, or the line is cut, between handing a mail over and the server's answer, nobody can know whether it
has been taken. Its row says 'sending' then, and soon 'unknown': it is not sent again. That is the choice of a shop, to which a
reminder that is missing does less harm than one that comes twice. For mails of which the opposite is true there is --again:
those go once more, under the same Message-ID, at least once.
"""
import argparse, email.message, email.policy, json, logging, os, pathlib, signal, smtplib, socket, sqlite3, ssl, string, time
from confluent_kafka import Consumer, KafkaException

TABLE = """CREATE TABLE IF NOT EXISTS mails(
    id TEXT PRIMARY KEY, action TEXT, state TEXT, since REAL, next REAL, tries INT DEFAULT 0, address TEXT, answer TEXT)"""
GIVE_UP_S = 24 * 3600


def mail_of(id, action, options):
    """What is sent, and to whom: of the rule's `with`. A template's first line is the subject."""
    fields = action["with"]
    template = options.templates / f"{pathlib.Path(fields['template']).name}.txt"
    subject, _, text = template.read_text(encoding="utf-8").partition("\n")
    mail = email.message.EmailMessage(email.policy.SMTP)
    mail["From"], mail["To"] = options.sender, fields["to"]
    mail["Subject"] = string.Template(subject).substitute(fields)
    mail["Message-ID"] = f"<{id}@{options.sender.rpartition('@')[2]}>"
    mail.set_content(string.Template(text).substitute(fields))
    (address,) = mail["To"].addresses
    address.addr_spec.encode("ascii")
    return address.addr_spec, mail.as_bytes()


def take(consumer, rows):
    """Actions become rows, those that are rows already stay as they are; then the offset is committed."""
    messages = consumer.consume(100, 0.5)
    for error in [message.error() for message in messages if message.error()]:
        logging.warning("Kafka: %s", error)
        if error.fatal():  # such as another process with our name: there is no going on with this consumer
            raise KafkaException(error)
    records = [message for message in messages if not message.error()]
    for record in records:
        headers = dict(record.headers() or ())
        if headers.get("ce_type") == b"relance.action.email":
            rows.execute("INSERT OR IGNORE INTO mails(id, action, state, since, next) VALUES(?, ?, 'waiting', ?, 0)",
                         (headers["ce_id"].decode(), record.value().decode(), time.time()))
    rows.commit()
    if records:
        consumer.commit(asynchronous=False)


def note(rows, id, state, address=None, answer=b"", wait_s=0):
    rows.execute("UPDATE mails SET state = ?, address = ?, answer = ?, next = ?, tries = tries + ? WHERE id = ?",
                 (state, address, answer.decode(errors="replace"), time.time() + wait_s, state == "waiting", id))
    rows.commit()
    logging.log(logging.INFO if state in ("sending", "sent") else logging.WARNING, "%s %s %s", id, state, answer)


def send(server, rows, id, action, since, tries, options):
    """All that the server may refuse comes first: 'sending' stands there only while nobody could know."""
    try:
        address, mail = mail_of(id, json.loads(action), options)
    except (KeyError, TypeError, ValueError, IndexError, OSError) as error:
        return note(rows, id, "failed", answer=repr(error).encode())
    if rows.execute("SELECT 1 FROM mails WHERE address = ? AND state = 'dead'", (address,)).fetchone():
        return note(rows, id, "skipped", address, b"this address is dead")
    server.rset()
    code, answer = server.mail(options.sender)
    refusal = "refused"
    if code < 300:
        code, answer = server.rcpt(address)
        refusal = "dead"
    if code < 300:
        note(rows, id, "sending", address)
        try:
            code, answer = server.data(mail)
        except smtplib.SMTPDataError as error:  # it did not even want to hear it
            code, answer = error.smtp_code, error.smtp_error
        refusal = "refused"
    if code >= 500:
        return note(rows, id, refusal, address, answer)
    if code >= 400 and time.time() - since > GIVE_UP_S:
        return note(rows, id, "given up", address, answer)
    if code >= 400:
        return note(rows, id, "waiting", address, answer, min(options.retry * 2**tries, 3600))
    note(rows, id, "sent", address, answer)


def deliver(rows, options):
    """What is due goes over one connection. Whoever was in the middle of it before, died or lost the line: we can't know."""
    rows.execute("UPDATE mails SET state = ? WHERE state = 'sending'", ("waiting" if options.again else "unknown",))
    rows.commit()
    due = rows.execute("SELECT id, action, since, tries FROM mails WHERE state = 'waiting' AND next <= ? ORDER BY since LIMIT 100",
                       (time.time(),)).fetchall()
    if not due:
        return
    with smtplib.SMTP(*options.smtp.split(":"), timeout=60) as server:
        server.ehlo_or_helo_if_needed()
        if "SMTP_PASSWORD" in os.environ:
            server.starttls(context=ssl.create_default_context())
            server.login(os.environ["SMTP_USER"], os.environ["SMTP_PASSWORD"])
        for row in due:
            send(server, rows, *row, options)


def options_of():
    parser = argparse.ArgumentParser(description="Sends Relance's actions of the channel `email`. Options of Kafka are librdkafka's; "
                                     "SMTP_USER and SMTP_PASSWORD in the environment, where the mail server wants them (over TLS).")
    parser.add_argument("--kafka", metavar="NAME=VALUE", action="append", required=True, help="bootstrap.servers=HOST:PORT, and more")
    parser.add_argument("--topic", required=True, help="the engine's --output")
    parser.add_argument("--group", default="mail")
    parser.add_argument("--smtp", metavar="HOST:PORT", default="localhost:25")
    parser.add_argument("--sender", metavar="ADDRESS", required=True)
    parser.add_argument("--templates", metavar="FOLDER", type=pathlib.Path, default=pathlib.Path(__file__).with_name("templates"))
    parser.add_argument("--file", default="mail.sqlite", help="what is remembered of each action")
    parser.add_argument("--days", type=int, default=60, help="for how long: at least as long as the topic keeps actions")
    parser.add_argument("--retry", metavar="SECONDS", type=float, default=60, help="until the second try; then twice as long each time")
    parser.add_argument("--again", action="store_true", help="at least once: what may have been sent is sent again")
    return parser.parse_args()


def main():
    options, stopping = options_of(), []
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    rows = sqlite3.connect(options.file)
    rows.execute(TABLE)
    rows.execute("DELETE FROM mails WHERE state NOT IN ('waiting', 'sending') AND since < ?", (time.time() - options.days * 86400,))
    consumer = Consumer({"group.id": options.group, "group.instance.id": f"{socket.gethostname()}-{options.topic}",
                         "enable.auto.commit": False, "auto.offset.reset": "earliest", "isolation.level": "read_committed",
                         **dict(setting.split("=", 1) for setting in options.kafka)})
    consumer.subscribe([options.topic])
    while not stopping:
        take(consumer, rows)
        try:
            deliver(rows, options)
        except OSError as error:  # of the mail server or the way there
            logging.warning("%s: %s", options.smtp, error)
            time.sleep(min(options.retry, 5))
    consumer.close()


if __name__ == "__main__":
    main()

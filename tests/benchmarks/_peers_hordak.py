"""django-hordak at work, in a process and an environment of its own: a line of JSON in, one out.

Normal way: ``Account.transfer_to``, one commit each. Bulk way: ``bulk_create`` of transactions and
legs in one commit, its triggers checking. Balances: ``Account.objects.with_balances()``, which its
documentation recommends for many accounts.
"""

import json
import sys
from decimal import Decimal
from time import perf_counter
from urllib.parse import urlsplit

import django
from django.conf import settings

KINDS = {"asset": "AS", "liability": "LI", "equity": "EQ", "income": "IN", "expense": "EX"}


def configure(url):
    at = urlsplit(url)
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": at.path.lstrip("/"),
                "USER": at.username or "",
                "PASSWORD": at.password or "",
                "HOST": at.hostname or "",
                "PORT": at.port or "",
            }
        },
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "mptt",
            "djmoney",
            "hordak",
        ],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        SECRET_KEY="a benchmark",
        USE_TZ=True,
        DEFAULT_CURRENCY="CNY",
        CURRENCIES=("CNY",),
        HORDAK_INTERNAL_CURRENCY="CNY",
    )
    django.setup()


def main():
    configure(sys.argv[1])
    # models can be imported only once Django is configured
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import transaction  # noqa: PLC0415
    from hordak.models import Account, Leg, Transaction  # noqa: PLC0415
    from moneyed import Money  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    accounts = {}

    def money(fen):
        return Money(Decimal(fen) / 100, "CNY")

    def one_by_one(rows):
        for day, debit, credit, fen in rows:
            accounts[credit].transfer_to(accounts[debit], money(fen), date=day)

    def bulk(rows):
        with transaction.atomic():
            made = Transaction.objects.bulk_create([Transaction(date=row[0]) for row in rows])
            legs = []
            for one, (_, debit, credit, fen) in zip(made, rows, strict=True):
                legs += (
                    Leg(transaction=one, account=accounts[credit], credit=money(fen)),
                    Leg(transaction=one, account=accounts[debit], debit=money(fen)),
                )
            Leg.objects.bulk_create(legs, batch_size=5_000)

    def balances():
        sums = [(one, one.balance) for one in Account.objects.with_balances()]
        return {
            one.name: int(sum(part.amount for part in held.monies()) * 100)
            * (1 if one.type in ("AS", "EX") else -1)
            for one, held in sums
        }

    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "accounts":
            for number, (name, kind) in enumerate(asked["accounts"].items(), start=1):
                accounts[name] = Account.objects.create(
                    name=name, code=f"{number:03}", type=KINDS[kind], currencies=["CNY"]
                )
        start = perf_counter()
        found = None
        if asked["do"] == "balances":
            found = balances()
        elif asked["do"] in ("bulk", "one by one"):
            (bulk if asked["do"] == "bulk" else one_by_one)(asked["rows"])
        print(json.dumps({"seconds": perf_counter() - start, "balances": found}), flush=True)


main()

"""The tables of the delivery ledger, as `delivery.ledger` uses them."""

import sqlalchemy as sa

SCHEMA = "delivery"
DIGESTS = ("sha256", "sha1", "md5")

META = sa.MetaData(schema=SCHEMA)
TIME = sa.DateTime(timezone=True)

DELIVERIES = sa.Table(
    "deliveries",
    META,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("destination", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, sa.CheckConstraint("kind in ('feed', 'removal')"), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("content_sha256", sa.String(64), nullable=False),
    sa.Column("sealed_sha256", sa.String(64)),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("added", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("ended", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column(
        "state",
        sa.Text,
        sa.CheckConstraint("state in ('prepared', 'sent', 'acknowledged', 'refused', 'abandoned')"),
        nullable=False,
    ),
    sa.Column("record", sa.Text, nullable=False),
    sa.Column("prepared_at", TIME, nullable=False),
    sa.Column("sent_at", TIME),
    sa.Column("answered_at", TIME),
    sa.Column("answer", sa.Text),
    sa.UniqueConstraint("destination", "kind", "day", "content_sha256"),
    comment="one file for one destination; never sent twice / 提供先へ渡したファイル。同じ日の同じ内容は二度送らない",
)

PROVISIONS = sa.Table(
    "provisions",
    META,
    sa.Column("destination", sa.Text, nullable=False),
    sa.Column("member", sa.LargeBinary, nullable=False),
    *(sa.Column(name, sa.LargeBinary, nullable=name != "sha256") for name in DIGESTS),
    sa.Column("consented_at", TIME, nullable=False),
    sa.Column("text_version", sa.Text, nullable=False),
    sa.Column("first_delivery", sa.BigInteger, sa.ForeignKey(DELIVERIES.c.id), nullable=False),
    sa.Column("last_delivery", sa.BigInteger, sa.ForeignKey(DELIVERIES.c.id)),
    sa.Index("provisions_member", "member"),
    sa.Index("provisions_digest", "destination", "sha256"),
    comment="第三者提供記録: in every feed from first_delivery to last_delivery; null is until today / 空は継続中",
)

OBLIGATIONS = sa.Table(
    "obligations",
    META,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("destination", sa.Text, nullable=False),
    *(sa.Column(name, sa.LargeBinary, nullable=name != "sha256") for name in DIGESTS),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column(
        "state",
        sa.Text,
        sa.CheckConstraint("state in ('due', 'sent', 'acknowledged', 'refused', 'lifted')"),
        nullable=False,
    ),
    sa.Column("due_at", TIME, nullable=False),
    sa.Column("sent_at", TIME),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("closed_at", TIME),
    sa.Index("obligations_open", "destination", "sha256", unique=True, postgresql_where=sa.text("state <> 'lifted'")),
    comment="a removal that is owed until the partner acknowledges it / 提供先が受領を返すまで続く削除義務",
)

REMOVALS = sa.Table(
    "removals",
    META,
    sa.Column("delivery", sa.BigInteger, sa.ForeignKey(DELIVERIES.c.id), primary_key=True),
    sa.Column("obligation", sa.BigInteger, sa.ForeignKey(OBLIGATIONS.c.id), primary_key=True),
    comment="which obligations a removal file carried / 削除ファイルに含めた義務",
)

LISTS = sa.Table(
    "partner_lists",
    META,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("listed", sa.BigInteger, nullable=False),
    sa.Column("rejected", sa.Text, nullable=False),
    sa.Column("produced_at", TIME, nullable=False),
    sa.Column("taken_at", TIME, nullable=False),
    sa.Column("refused", sa.Text),
    comment="every opt-out list a partner handed over; refused says why it stands for nothing / 受領した拒否リスト",
)

LISTED = sa.Table(
    "partner_opt_outs",
    META,
    sa.Column("source", sa.Text, nullable=False),
    *(sa.Column(name, sa.LargeBinary) for name in DIGESTS),
    sa.Index("partner_opt_outs_source", "source"),
    comment="what the last usable list of each partner says / 各提供先の有効な最新の拒否リスト",
)

HOLDS = sa.Table(
    "holds",
    META,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("destination", sa.Text, nullable=False),
    sa.Column("held_at", TIME, nullable=False),
    sa.Column("held_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("released_at", TIME),
    sa.Column("released_by", sa.Text),
    sa.Column("release_reason", sa.Text),
    comment="who stopped and resumed a destination, and why / 提供先ごとの停止と再開",
)

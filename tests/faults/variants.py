"""Known-bad variants of the product, to see that the kills find them. Each is applied in a child that will die."""


def shown_before_the_commit() -> None:
    """The files of a night become visible before the warehouse has it."""
    from delivery import publication

    settle = publication._settle

    def settle_and_show(folder, stored):
        settle(folder, stored)
        publication._show(stored.parent.parent, publication.datetime.date.fromisoformat(stored.name[:10]), stored)

    publication._settle = settle_and_show


def recorded_after_sending() -> None:
    """A feed is sent first, and recorded in the ledger when it has arrived."""
    from types import SimpleNamespace

    from delivery import feed_steps
    from delivery.ledger import Ledger

    prepare, send, sent, waiting = Ledger.prepare_feed, feed_steps._send, Ledger.sent, []

    def prepare_later(self, *arguments):
        waiting.append((self, arguments))
        return SimpleNamespace(state="prepared", kind="feed", added=0, ended=0), True

    def sent_now(self, delivery, *rest):
        if delivery.kind == "feed":
            ledger, arguments = waiting.pop()
            delivery, _ = prepare(ledger, *arguments)
        sent(self, delivery, *rest)

    Ledger.prepare_feed, Ledger.sent = prepare_later, sent_now
    feed_steps._send = send

"""
The purposes of use (利用目的) of the published privacy policy, clause by clause.

Every output of the pipeline cites one. What is not served is refused before anything is
read: those purposes belong to other systems, or to people. Standard library only.
"""

from anonymizers.errors import PurposeRefused
from transforms.spec import Purpose

POLICY_VERSION = "2022-04-01"
"""The version of the policy this register was written from. A newer one in the source stops the night."""

STATISTICS = "P09"
ADVERTISING = "P10"

PURPOSES = {
    purpose.id: purpose
    for purpose in (
        Purpose(id="P01", title_ja="会員登録・認証", clause="3 (1)", served=False),
        Purpose(id="P02", title_ja="案内・アンケートの送付", clause="3 (2)", served=False),
        Purpose(id="P03", title_ja="キャンペーン・プレゼントの発送", clause="3 (3)", served=False),
        Purpose(id="P04", title_ja="メールマガジン", clause="3 (4)", served=False),
        Purpose(id="P05", title_ja="お問合せへの対応", clause="3 (5)", served=False),
        Purpose(id="P06", title_ja="寄稿者の募集・審査", clause="3 (6)", served=False),
        Purpose(id="P07", title_ja="規約違反への対応", clause="3 (7)", served=False),
        Purpose(id="P08", title_ja="規約変更の通知", clause="3 (8)", served=False),
        Purpose(id=STATISTICS, title_ja="個人を識別できない統計データの作成", clause="3 (9)", served=True),
        Purpose(id=ADVERTISING, title_ja="広告の配信または表示", clause="3 (10), 4-4, 6", served=True),
        Purpose(id="P11", title_ja="保活・保育施設の情報提供", clause="3 (11)", served=False),
        Purpose(id="P12", title_ja="捜査機関等の照会・法令に基づく開示", clause="3 (12), 4-3", served=False),
        Purpose(id="P13", title_ja="付随する利用目的", clause="3 (13)", served=False),
    )
}


def require_served(purpose_id: str) -> Purpose:
    """
    The purpose, if this pipeline may work for it.

    Raises:
        PurposeRefused: the purpose is unknown, or the policy gives it to another system.
    """
    purpose = PURPOSES.get(purpose_id)
    if purpose is None:
        raise PurposeRefused(f"purpose {purpose_id!r} is not in the register; see transforms/purposes.py")
    if not purpose.served:
        raise PurposeRefused(f"purpose {purpose.id} ({purpose.title_ja}) is not served by this pipeline")
    return purpose

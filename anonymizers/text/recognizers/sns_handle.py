"""Account names on social networks."""

import regex

from anonymizers.text.expressions import either
from anonymizers.text.patterns import PRODUCT, CuedPatternRecognizer, Example, cue, form

_NAME = r"[A-Za-z0-9_.\-]{1,29}[A-Za-z0-9_]"
_NAME_LIKE = rf"(?=@|[A-Za-z]{{0,20}}[0-9_.\-])(?=[0-9._\-]{{0,20}}[A-Za-z@])@?{_NAME}"
_END = r"(?![A-Za-z0-9_/@])"
_AT = form("after @", r"(?<![A-Za-z0-9._%+\-])(?P<value>@ ?(?=[0-9_.]{0,29}[A-Za-z])[A-Za-z0-9_.]{1,29}[A-Za-z0-9_])")
_NETWORK = (
    r"(?:インスタ(?:グラム)?|いんすた|Instagram|Insta|(?<![A-Za-z])IG|Twitter|ツイッター|ついったー|ツイ(?=垢|"
    r"アカ|の|は|→|:)|"
    r"(?<![A-Za-z0-9])X(?![A-Za-z0-9])(?:\(旧?(?:Twitter|ツイッター)\))?|TikTok|ティックトック|てぃっくとっく|"
    r"Threads|スレッズ|"
    r"Facebook|フェイスブック|"
    r"(?<![A-Za-z])FB(?![A-Za-z])|mixi2?|ミクシィ?|(?<![A-Za-z])note(?![A-Za-z])|ノート(?=のID|のアカ)|YouTube|"
    r"ユーチューブ|"
    r"ようつべ|Discord|ディスコード?|ディスコ(?=の|は|:)|"
    r"BeReal|ビーリアル|ビリアル|カカオ(?:トーク)?|カカオ|kakao(?:talk)?|Skype|スカイプ|Telegram|テレグラム|"
    r"Snapchat|スナップチャット|スナチャ|Pinterest|"
    r"アメブロ|アメーバ|ameblo|Ameba|Mastodon|マストドン|Bluesky|ブルースカイ|ブルスカ|WEAR|(?:楽天)?ROOM|Lemon8|"
    r"ポコチャ|Pococha|ツイキャス|"
    r"WhatsApp|ワッツアップ|"
    r"シグナル|ピクシブ|pixiv|ルームクリップ|RoomClip|メルカリ|ミンネ|minne|クリーマ|Creema|Spotify|Steam|Switch|"
    r"PSN|フレンドコード|"
    r"(?<![A-Za-z])DM(?![A-Za-z]))"
)
_NETWORK_BEGINS = either(
    "インスタ いんすた insta ig tw ツイ つい x tik ティック てぃっ thr スレ fa フェイ fb "
    "mix ミクシ note ノート you ユーチ ようつ disc ディスコ "
    "be ビー ビリ カカオ kakao sky スカイ tele テレ snap スナ pin "
    "アメ ame mast マスト blue ブル wear 楽天 room lemon ポコ poco "
    "what ワッツ シグ ピク pix ルーム メルカリ ミンネ minne クリー cre spot ste sw psn フレ dm"
)
_ACCOUNT = (
    r"(?:アカウント名?|アカ名?|垢名?|[裏本鍵育サ]垢|ユーザー(?:ネーム|名|ID)|ユーザ名|ハンドル(?:ネーム|"
    r"名)?|ID|アイディー?|名前|ネーム)"
)
_LEAD = r"[はがも:→=( 「『、\n]"
_NAMED = cue(
    "after the network's name",
    rf"(?i){_NETWORK}[ の]{{0,2}}{_ACCOUNT}?{_LEAD}{{1,4}}(?!{_NETWORK})"
    rf"(?P<cued>(?=@|[A-Za-z0-9]{{0,20}}[._\-]|[A-Za-z]{{1,20}}[0-9])@?{_NAME}){_END}",
    _NETWORK_BEGINS,
)
_NAMED_PLAINLY = cue(
    "after the network's name and は",
    rf"(?i){_NETWORK}(?:の?{_ACCOUNT}[はが:→=][:→=( 「『]{{0,3}}|[はが:→=][:→=( 「『]{{0,3}})(?!{_NETWORK}|"
    rf"https?:|www\.|OK|DM)"
    rf"(?P<cued>(?=@?[A-Za-z0-9_.\-]{{0,29}}[A-Za-z])@?{_NAME}){_END}",
    _NETWORK_BEGINS,
)
_NAMED_LATER = cue(
    "after the network's name and words",
    rf"(?i){_NETWORK}(?:の?{_ACCOUNT})?[^A-Za-z0-9@\n。]{{0,16}}+\n?{PRODUCT}(?P<cued>{_NAME_LIKE}){_END}(?!歳|"
    rf"才|円|時|人)",
    _NETWORK_BEGINS,
)
_ACCOUNT_NAMED = cue(
    "after a word for an account",
    rf"(?i)(?:アカウント名?|アカ名|垢名?|[裏本鍵育]アカ?|ユーザー(?:ネーム|名|ID)|ユーザ名|ハンドル(?:ネーム|"
    rf"名)?)(?:は|が|:|→|=|「| ){{1,2}}"
    rf"[:→=( 「『]{{0,3}}(?P<cued>(?=@?[A-Za-z0-9_.\-]{{0,29}}[A-Za-z])@?{_NAME}){_END}",
)
_FOLLOWED = cue("to be followed", rf"(?i)フォロー[^A-Za-z0-9@\n。]{{0,8}}[:→⇒ ]{PRODUCT}(?P<cued>{_NAME_LIKE}){_END}")
_ACCOUNT_TOGETHER = cue(
    "right after a word for an account",
    rf"(?i)(?:アカウント名?|垢名?|ユーザー(?:ネーム|名|ID)|ハンドルネーム)[ :]{{0,2}}{PRODUCT}"
    rf"(?P<cued>{_NAME_LIKE}){_END}",
)
_BEFORE = cue(
    "before the network's name",
    rf"(?i)(?<![A-Za-z0-9@._\-/]){PRODUCT}(?P<cued>{_NAME_LIKE})(?=[」』)]?(?:で|って|を|という|っていう|が|は|\(|"
    rf" )[^A-Za-z0-9@\n。]{{0,10}}(?:{_NETWORK}|垢|アカウント|フォロー|検索して))",
    r"(?<![A-Za-z0-9@._\-/])[@A-Za-z0-9_.\-]",
)
# Parts with a space between them: a digit or a line in one of them tells them from words.
_PARTED = cue(
    "after the network's name, in parts",
    rf"(?i){_NETWORK}[ の]{{0,2}}{_ACCOUNT}?{_LEAD}{{1,4}}{PRODUCT}(?!{_NETWORK})"
    r"(?![^ ]{0,15}(?: [^ ]{1,15}){0,3} (?:is|the|to|me|and|my|you|for|please|ok|of|in|on|it|not|or|vs)(?![a-z]))"
    r"(?P<cued>(?=[a-z][a-z ._\-]{1,30}[0-9_])[a-z0-9_.\-]{1,15}(?: [a-z0-9_.\-]{1,15}){1,3})"
    r"(?![A-Za-z0-9_/@]| [A-Za-z0-9])(?! ?(?:歳|才|円|時|人|年|月|日|個|分|枚|GB|MB))",
    _NETWORK_BEGINS,
)
_NEXT_SENTENCE = cue(
    "in the sentence after the network's name",
    rf"(?i){_NETWORK}[^A-Za-z0-9@\n。!?]{{0,20}}+[。!?\n][^A-Za-z0-9@\n。]{{0,8}}+{PRODUCT}(?P<cued>{_NAME_LIKE}){_END}"
    r"(?=[」』)]?(?:です|だよ|で検索|って名前|という名前|まで|[。!♪\n]|$))",
    _NETWORK_BEGINS,
)
_DISCORD = form("with a number", r"(?<![A-Za-z0-9_.])(?P<value>[A-Za-z][A-Za-z0-9_.]{1,31}#[0-9]{4})(?![0-9A-Za-z])")
_ALONE = cue(
    "plain name after the network's name, nothing else said",
    rf"(?i){_NETWORK}[ :→、(「『]{{1,2}}{PRODUCT}(?!{_NETWORK}|stor|reel|shop|messenger|business|live|online|official|"
    r"premium|music)(?P<cued>[a-z][a-z0-9]{5,29})(?=$|[\n)」、。!♪]|です|まで|にて|で検索|って)",
)
_TO_FOLLOW = cue(
    "plain name to be followed",
    rf"(?i)(?<![A-Za-z0-9@._\-/]){PRODUCT}(?!{_NETWORK})(?P<cued>@?[a-z][a-z0-9]{{4,29}})(?=[」』)]?(?:さん)?を(?:フォロー|タグ付|検索し))",
    r"(?<![A-Za-z0-9@._\-/])[@A-Za-zİı]",
)
# Whoever writes an underscore in a word in Latin letters names an account, or a file.
_UNDERSCORED = form(
    "with an underscore",
    r"(?i)(?<![A-Za-z0-9_.@/\-=&?#%+:])(?P<value>(?!(?:IMG|DSC[NF]?|PXL|VID|MVI|Screenshot|screen|file|image|photo|scan)_)"
    r"(?=[A-Za-z0-9.]{0,20}[A-Za-z])(?=[A-Za-z0-9._]{5})[A-Za-z0-9][A-Za-z0-9.]{0,20}_[A-Za-z0-9_.]{0,28}[A-Za-z0-9_])(?![A-Za-z0-9_@/\-]|\.[A-Za-z])",
)

# Companies and words that are written with an @ themselves, places and times.
_NOBODY = regex.compile(
    r"(?i)@ ?(?:cosme|home|nifty|niftyhome|zoom|tokyo|osaka|line|fm|all|here|everyone|[0-9.]{1,6}(?:yen|ml|kg|"
    r"g|cm|mm|km|l|pm|am|h))$"
)

EXAMPLES = (
    Example("インスタやってます！＠hana__2y フォロバします", ("＠hana__2y",)),
    Example("ツイッター（Twitter）は@hana_mamaでつぶやいて", ("@hana_mama",)),
    Example("インスタのID：hana.mama_88", ("hana.mama_88",)),
    Example("垢名はhanamama、カカオは hana_kk です", ("hanamama", "hana_kk")),
    Example("hana_mama88でインスタやってます", ("hana_mama88",)),
    Example("りんご@スーパー、インスタは楽しい、Facebook Messenger、@cosmeで1個@100円、@500ml", ()),
)


class _SnsHandle(CuedPatternRecognizer):
    """Handles that are nobody's brand."""

    def accepts(self, match: "regex.Match[str]") -> bool:
        """Whether the name is an account and not "@cosme" or a price."""
        return not _NOBODY.match(match[match.lastgroup])


def recognizer() -> CuedPatternRecognizer:
    """Finds SNS_HANDLE: anything in ASCII after an @ that is not an address, or named as an account."""
    return _SnsHandle(
        "SNS_HANDLE",
        _AT,
        _NAMED,
        _NAMED_PLAINLY,
        _NAMED_LATER,
        _ACCOUNT_NAMED,
        _ACCOUNT_TOGETHER,
        _FOLLOWED,
        _BEFORE,
        _PARTED,
        _NEXT_SENTENCE,
        _DISCORD,
        _UNDERSCORED,
        _TO_FOLLOW,
        _ALONE,
        needs="[A-Za-z][A-Za-z0-9_.]|@",
        words="(?i)[a-z0-9]_|@|インスタ|いんすた|insta|IG|Twitter|ツイ|ついったー|(?<![a-z0-9])X(?![a-z0-9])|TikTok|"
        "てぃっくとっく|ティックトック|Threads|スレッズ|book|"
        "フェイスブック|FB|mixi|ミクシ|note|ノート|YouTube|ユーチューブ|ようつべ|discord|ディスコ|BeReal|"
        "ビリアル|ビーリアル|カカオ|kakao|Skype|スカイプ|gram|"
        "テレグラム|snap|スナ|pinter|アメ|ameb|mast|マスト|blue|ブルー?ス|WEAR|ROOM|ルーム|Lemon|ポコチャ|Poco|"
        "ツイキャス|What|ワッツ|シグナル|ピクシブ|pixiv|メルカリ|"
        "ミンネ|minne|クリーマ|Creema|Spot|Steam|Switch|PSN|フレンド|DM|垢|アカ|ユーザ|ハンドル|フォロー|"
        "検索し|タグ|#[0-9]",
    )

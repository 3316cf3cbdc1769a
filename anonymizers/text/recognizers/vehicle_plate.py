"""Number plates of vehicles."""

from anonymizers.text.patterns import CuedPatternRecognizer, Example, beside, cue, form

# Places on plates: 国土交通省 自動車登録番号標の地域名 and ご当地ナンバー, read 2026-11-24.
_PLACES = (
    "札幌|十勝|函館|旭川|室蘭|釧路|帯広|北見|知床|苫小牧|青森|八戸|弘前|岩手|盛岡|平泉|宮城|仙台|秋田|山形|庄内|福島|"
    "いわき|会津|郡山|白河|水戸|土浦|つくば|"
    "宇都宮|とちぎ|那須|日光|群馬|高崎|前橋|大宮|川口|所沢|川越|熊谷|春日部|越谷|千葉|成田|習志野|市川|船橋|"
    "袖ヶ浦|袖ケ浦|市原|野田|柏|松戸|品川|世田谷|練馬|杉並|板橋|足立|"
    "江東|葛飾|江戸川|八王子|多摩|横浜|川崎|湘南|相模|新潟|長岡|上越|富山|石川|金沢|加賀|福井|山梨|富士山|長野|"
    "松本|諏訪|南信州|安曇野|岐阜|飛騨|東美濃|静岡|浜松|沼津|伊豆|"
    "名古屋|豊橋|三河|岡崎|豊田|尾張小牧|一宮|春日井|三重|鈴鹿|四日市|伊勢志摩|滋賀|京都|大阪|なにわ|和泉|堺|"
    "神戸|姫路|奈良|飛鳥|和歌山|鳥取|島根|出雲|岡山|倉敷|"
    "広島|福山|下関|山口|徳島|香川|高松|愛媛|高知|福岡|北九州|久留米|筑豊|佐賀|長崎|佐世保|熊本|大分|宮崎|鹿児島|"
    "奄美|沖縄"
)
_FIRSTS = f"[{''.join(sorted({place[0] for place in _PLACES.split('|')}))}]"
_PLACE_BEGINS = f"(?={_FIRSTS})(?:{_PLACES})"
_CLASS = r"[0-9〇一二三四五六七八九]{1,2}[0-9〇一二三四五六七八九ACFHKLMPXY]"
_KANA = r"[「『\"(]?[ぁ-んァ-ヺABEHKMTYV][」』\")]?"
_NUMBER = r"(?:[0-9・]{1,2}[-ーの][0-9]{2}|[・.\-]{1,3} ?[0-9]{1,3}|[0-9]{1,4})"
_SEP = r"[- 、,・の/.★☆♪♡♥●◆■]{0,3}"
# In kanji, and with marks or spaces between all parts.
_NUM = "[0-9〇零一二三四五六七八九]"
_FULL_KANJI = form(
    "in full, with kanji or marks",
    rf"(?P<value>(?:{_PLACES})(?:ナンバー)?{_SEP}(?:{_CLASS}|[一二三四五六七八九]百"
    rf"(?:[二三四五六七八九]?十)?[一二三四五六七八九]?)"
    rf"{_SEP}{_KANA}{_SEP}(?:{_NUM}{{1,2}}[- ー★☆・の.]{{1,2}}{_NUM}{{2}}|{_NUM}{{2,4}}))(?!{_NUM}|"
    rf"[-A-Za-z円年月日歳人個時分回十百千万])",
    _PLACE_BEGINS,
)
# Numerals spelt in kana: "静岡さんさんごなろくさんはちよん".
_SPELT = (
    r"(?:ゼロ|ぜろ|れい|レイ|まる|いち|イチ|にー|にい|に|ニ|さん|サン|よん|ヨン|しー|し|ごー|ご|ゴ|ろく|ロク|なな|"
    r"ナナ|しち|はち|"
    r"ハチ|きゅう|きゅー|キュウ|キュー|く)"
)
_FULL = form(
    "in full",
    rf"(?P<value>(?:{_PLACES})(?:ナンバー)?{_SEP}\(?{_CLASS}\)?\n?{_SEP}(?:の ?)?{_KANA}(?: ?の)?{_SEP}{_NUMBER})"
    rf"(?![0-9A-Za-z円年月日歳])",
    _PLACE_BEGINS,
)
_FULL_SPELT = form(
    "in full, in kana",
    rf"(?P<value>(?:{_PLACES}){_SEP}{_SPELT}(?:{_SEP}{_SPELT}){{1,2}}{_SEP}[ぁ-ん]{_SEP}{_SPELT}"
    rf"(?:{_SEP}{_SPELT}){{1,3}})",
    _PLACE_BEGINS,
)
_APART = form(
    "in full, one by one",
    rf"(?P<value>(?:{'|'.join(' ?'.join(place) for place in _PLACES.split('|'))})"
    rf"[- /・.]{{1,2}}[0-9](?:[- /・.]{{0,2}}[0-9ACFHKLMPXY]){{1,2}}"
    rf"[- /・.]{{1,2}}[ぁ-ん](?:[- /・.]{{1,2}}[0-9・]){{1,4}})(?![0-9A-Za-z円年月日歳])",
    _FIRSTS,
)
_WORD = (
    r"(?<!マイ)(?<!マイ )(?<!カード)(?<!ロット)(?<!シリアル)(?:ナンバープレート|ナンバー|車番|車両番号|"
    r"プレート|なんばー(?:ぷれーと)?|登録番号|車の番号)"
)
_SURELY = r"(?:[0-9・]{1,2}[-の][0-9]{2}|[・.\-]{1,3} ?[0-9]{1,3}|[0-9]{4})"
_NAMED = cue(
    "after a word",
    rf"{_WORD}(?![ァ-ヺ])[はがのも: 、→=(]{{0,3}}+[^0-9\n。A-Za-z]{{0,12}}?"
    rf"(?P<cued>(?:(?:{_PLACES}){_SEP})?(?:{_CLASS}{_SEP})?(?:{_KANA}(?: ?の)?{_SEP})?{_SURELY})"
    rf"(?![0-9A-Za-z円年月日歳]|-[0-9])",
)
_KANA_AND_NUMBER = form(
    "kana and number",
    r"(?<![0-9A-Za-zぁ-んァ-ヺ一-鿿])(?P<value>[「『\"]?[あ-えか-そた-とな-のはひふほま-もや-よら-ろわ][」』\"]?"
    r"(?: ?の)? ?"
    r"(?:[0-9]{2}-[0-9]{2}|[・･]{1,3} ?[0-9]{1,3}))(?![0-9]|-[0-9])",
)
_PLACE_AND_CLASS = cue(
    "place and class",
    rf"(?P<cued>(?:{_PLACES})(?:ナンバー|番号)?の?{_SEP}{_NUMBER})(?=[^0-9\n。]{{0,8}}(?:ナンバー|プレート|の車|"
    rf"の黒|の白))",
    _PLACE_BEGINS,
)
_BEFORE_WORD = cue(
    "before a word",
    rf"(?<![0-9-])(?P<cued>(?:(?:{_PLACES}) ?)?(?:{_CLASS} ?)?(?:{_KANA}(?: ?の)? ?)?[0-9]{{2}}-[0-9]{{2}})"
    rf"(?![0-9]|-[0-9])(?=[^0-9\n。、]{{0,8}}(?:ナンバー|プレート|の車|って車))",
)

# The kana and the number, or the place and the class, somewhere near a word for a car that did something.
_BESIDE = beside(
    "near a word",
    rf"(?<![0-9A-Za-zぁ-ん])(?<![0-9][-/])(?P<near>(?:(?:{_PLACES}){_SEP})?(?:{_CLASS}{_SEP})?{_KANA}(?: ?の)?{_SEP}"
    rf"{_SURELY}|(?:{_PLACES}){_SEP}{_CLASS}|[0-9]{{2}}-[0-9]{{2}})(?![0-9A-Za-z円年月日歳個人]|-[0-9]|ページ|分|時|"
    rf"ぺー?じ|mm|cm|回|週)",
    rf"(?<![0-9A-Za-zぁ-ん])(?:{_FIRSTS}|[0-9〇一二三四五六七八九]|{_KANA}(?: ?の)?{_SEP}[0-9・.\-])",
)
_NEAR = (
    rf"{_WORD}|(?<!電)車(?![内庫椅])|くるま|クルマ|ミニバン|ワゴン|セダン|プリウス|アルファード|軽(?:トラ|自動車|の)|"
    rf"トラック|タクシー|バイク|"
    r"原付|当て逃げ|ひき逃げ|煽|あおり|路駐|駐車|無断駐|不審"
)

EXAMPLES = (
    Example("品川 300 あ 12-34の車", ("品川 300 あ 12-34",)),
    Example("湘南５０１な・・12に当て逃げされた", ("湘南５０１な・・12",)),
    Example("ナンバーは「な」の・・12です", ("「な」の・・12",)),
    Example("車のナンバー 12-34", ("12-34",)),
    Example("品川まで300円、マイナンバー、ナンバーワン、背番号は12、大阪500人、12-34ページ", ()),
)


def recognizer() -> CuedPatternRecognizer:
    """Finds VEHICLE_PLATE: in full, or the part people remember beside a word for it."""
    return CuedPatternRecognizer(
        "VEHICLE_PLATE",
        _FULL,
        _FULL_KANJI,
        _FULL_SPELT,
        _APART,
        _NAMED,
        _BESIDE,
        _KANA_AND_NUMBER,
        _PLACE_AND_CLASS,
        _BEFORE_WORD,
        near=_NEAR,
        needs=r"[0-9・〇一二三四五六七八九]|(?:さん|いち|なな|ろく|はち|ゼロ|ごー?|に){3}",
        words=r"ナンバー|なんばー|車|登録番号|くるま|クルマ|逃げ|不審|プレート|の車|って車|の黒|の白|"
        r"[0-9〇一二三四五六七八九十百ACFHKLMPXY][- 、,・の「『\"★☆♪♡♥●◆■/.]{0,5}[ぁ-んABEHKMTYV][」』\" の]{0,3}"
        r"[- 、,・の★☆♪♡♥●◆■/.]{0,3}[0-9〇一二三四五六七八九]|・ ?[0-9]|[」』\"のぁ-ん ][0-9]{2}-[0-9]{2}(?![-0-9])",
    )

"""Dates of birth: a date beside a word about birth."""

import regex

from anonymizers.text.expressions import either
from anonymizers.text.patterns import CuedPatternRecognizer, Example, Places, beside, cue

_ERA = r"(?:明治|大正|昭和|平成|令和|明|大|昭|平|令|[MTSHRmtshr])"
_YEAR = rf"(?:(?:西暦 ?)?(?:19|20)[0-9]{{2}}|'?[0-9]{{2}}|{_ERA}[. ]?(?:[0-9]{{1,2}}|元))"
_ALSO = r"(?: ?\([^()\n]{2,8}\))?"
_M, _D = r"(?:0?[1-9]|1[0-2])", r"(?:3[01]|[12][0-9]|0?[1-9])"
# A star or の in place of a stroke is read here only: "H30★9★22".
_SEP = r"(?: ?[-/.,・の*_♪♡\p{So}] ?)"
_NUMERIC = rf"{_YEAR}(?:{_SEP}{_M}{_SEP}{_D}| {_M} {_D})"
_KANJI_NUMBER = "(?:[〇一二三四五六七八九十]{1,3}|[0-9]{1,2})"
_MIXED = rf"{_ERA}[. ]?(?:{_KANJI_NUMBER}|元){_SEP}{_KANJI_NUMBER}{_SEP}{_KANJI_NUMBER}"
_NAMED_PARTS = rf"{_YEAR} ?{_ALSO}年{_ALSO}[ \n]?の? ?(?:{_M} ?月 ?の? ?{_D}(?: ?日)?|{_M}[/.-]{_D})"
_ENGLISH_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?"
_ENGLISH_DASHED = rf"{_D}-{_ENGLISH_MONTH}-(?:19|20)[0-9]{{2}}"
_ENGLISH = (
    rf"(?:{_ENGLISH_MONTH} ?{_D}(?:st|nd|rd|th)?,? ?(?:(?:19|20)[0-9]{{2}})?|{_D}(?:st|nd|rd|"
    rf"th)? {_ENGLISH_MONTH},? ?(?:(?:19|20)[0-9]{{2}})?)"
)
_COMPACT = r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_ERA_COMPACT = r"[MTSHRmtshr][0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_DAY_FIRST = r"[0-9]{1,2}/[0-9]{1,2}/(?:19|20)[0-9]{2}"
_MONTH_DAY = rf"{_M} ?月 ?の? ?{_D} ?日"
_SHORT = rf"{_M} ?[-/.・の*_♪♡\p{{So}}] ?{_D}"
_FULL = rf"(?:{_DAY_FIRST}|{_NUMERIC}|{_MIXED}|{_NAMED_PARTS}|{_ENGLISH_DASHED}|{_COMPACT}|{_ERA_COMPACT})"
# What any date begins with: looked at first, it passes over most places of a text.
_FIRST = r"(?=[0-9'西明大昭平令MTSHRmtshrJFASONDjfasond])"
_B, _E = rf"{_FIRST}(?<![0-9])(?<![0-9][-/.・の★])", r"(?!(?<!日)[0-9]|[-/][0-9]|日?(?:〜|~|から))"
_SURE = rf"{_B}(?:{_FULL}|{_MONTH_DAY}|{_ENGLISH}){_E}"
_ANY = rf"{_B}(?:{_FULL}|{_MONTH_DAY}|{_ENGLISH}|{_SHORT}|{_M}月{_D}){_E}"
_SIX = rf"{_B}[0-9]{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]){_E}"

# A party, a cake, a present have a day of their own.
_PARTY = (
    r"(?!会|パーティ|パーチー|プレゼント|の?プレ|ケーキ|フォト|の?お?祝い|クーポン|特典|割|月|カード|"
    r"ディナー|旅行|イベント)"
)
_DUE = r"(?:(?:出産|お産|分娩)予定日|(?<![^のがはもで、 \n。「(!:日/0-9])予定日)(?!超過|まで|過ぎ|より|前|当日|超え)"
_WORD = (
    rf"(?:生年月日|お?誕生日{_PARTY}|お?たんじょう[びー]|お?たん生日|生まれた日|うまれた日|産まれた日|生れた日|"
    rf"出産日|出生日|出生年月日|{_DUE}|バースデー{_PARTY}|"
    rf"バースデイ{_PARTY}|"
    rf"バースディ{_PARTY}|birthday|birthdate|birth|B\.?day|DOB|D\.O\.B\.?|誕生(?!日|会|月|祝|石)|生誕|生まれは|"
    rf"産まれは|うまれは|(?:生まれ|産まれ|うまれ|生ん)[ただ]の[はが]|born(?: on)?|(?:出産|分娩)予定(?!日)|"
    rf"(?:生まれ|産まれ|うまれ)(?=[:→])|(?:出産|分娩)は|爆誕|"
    rf"\U0001f382|\U0001f476|\U0001f423)"
)
_LEAD = r"(?:\((?:西暦|予定|和暦|年月日)\))?[はがもの、: ・\[(→=⇒\u2192♡♥\U0001f382でをに\n「日]{0,6}"
# Where a date may begin, looked for once for all patterns that begin with one.
_DATE_BEGINS = (
    r"(?<![0-9])[0-9](?:[0-9]|[-/.,・の*_♪♡ 月\p{So}]|[snrtSNRT][tdhTDH])|'[0-9]|西暦|"
    r"(?:明治?|大正?|昭和?|平成?|令和?|[MTSHRmtshr])[. ]?[0-9元〇一二三四五六七八九十]|"
    + either("jan feb mar apr may jun jul aug sep oct nov dec")
)
# Most numbers are no date, and thirty patterns begin with one: that there is one is looked at once.
_DATE = Places(_DATE_BEGINS, f"(?i){_ANY}")
_AFTER_WORD = cue("after a word", rf"(?i){_WORD}{_LEAD}(?P<cued>{_ANY})")
_AFTER_WORDS = cue(
    "after a word and words",
    rf"(?i){_WORD}[^0-9\n。!?]{{0,16}}+\n?(?P<cued>{_SURE})(?:[^0-9\n。!?]{{1,12}}+(?P<cued>{_ANY}))*+",
)
_SIX_DIGITS = cue("six digits", rf"(?i)(?:生年月日|誕生日|DOB){_LEAD}(?P<cued>{_SIX})")

_BORN = (
    r"(?:生ま|産ま|うまれ|ウマレ|生れ|産れ|誕生(?!日|会|月)|出生|爆誕|生誕|出産(?!予定|説明|教室|祝|準備|手当|後|前|"
    r"入院|"
    r"費用)|生(?=[)\]、。 \nと]|$|の(?:息子|娘|子|男|女|"
    r"長|次|三))|born|"
    r"早生まれ|生を受け|産声|\U0001f382|\U0001f476|(?:に|、)(?:産|生)(?:んだ|みました|んで))"
)
_CLOCK = (
    r"[ 、の]{0,2}(?:午前|午後|朝|昼|夜|深夜|夕方|早朝|[ap]m)? ?[0-9]{1,2}(?::[0-9]{2}|時(?:[0-9]{1,2}分|"
    r"半)?)(?:頃|ごろ)? ?(?:[ap]m)?"
)
_TIME = rf"(?:{_CLOCK})?"
_DAY_NOTE = rf"(?: ?\([^)\n]{{1,6}}\))?{_TIME}"
_BEFORE_WORD = cue(
    "before a word",
    rf"(?i)(?P<cued>{_ANY}){_DAY_NOTE}[ 、にがはの頃で☆♡]{{0,3}}{_BORN}(?!以降|以後|から|まで|〜|~)",
    _DATE,
)
_BORN_AT = cue(
    "before a time and a word",
    rf"(?i)(?P<cued>{_ANY})(?: ?\([^)\n]{{1,6}}\))?(?:{_CLOCK}|(?= ?[0-9]{{4}} ?g))"
    rf"(?:[^0-9\n。!?]{{0,8}}[0-9]{{3,4}} ?(?:g|グラム))?[にの、 ]{{0,2}}(?:無事に?、? ?|元気な)?"
    rf"(?:(?:男の子|女の子|[男女]児|[長次三][男女]|第[一二三四1-4]子|赤ちゃん|息子|娘|ベビー)[をがの 、]{{0,2}})?"
    rf"(?:無事に?)?"
    r"(?:誕生(?!日|会|月)|爆誕|出産(?!予定|祝|準備|手当|後|前|入院|費用|説明|教室)|[生産]まれ(?:た|ました|です)|"
    r"[生産]みました|"
    r"[生産]んだ)",
    _DATE,
)
_BEFORE_BIRTHDAY = cue(
    "before birthday",
    rf"(?i)(?P<cued>{_ANY}){_DAY_NOTE}(?:(?:です|だよ|だけど|なの|が)?、?[^0-9\n。、!?]{{0,10}}"
    rf"(?:[0-9]{{1,2}}[歳才]の)?(?:お?誕生日{_PARTY}|お?たんじょうび{_PARTY}|バースデー{_PARTY}|"
    rf"バースデイ{_PARTY}|birthday|生年月日|出産日|出産予定日)"
    rf"|(?:ごろ|頃|くらい|ぐらい|あたり|前後)?[がのに ]{{0,2}}(?:うちの|私の|出産の|もともとの|最初の)?{_DUE})",
    _DATE,
)
_ELSEWHERE = r"健診|検診|説明会|入院|退院|入園|入学|予約|旅行|[0-9]{1,2}[月/]"
_BEFORE_VERB = cue(
    "before a verb",
    rf"(?P<cued>{_SURE}|{_B}{_SHORT}{_E}(?=[にの])){_DAY_NOTE}(?!の?(?:予約|説明会|健診|検診))"
    rf"(?=(?:(?!{_ELSEWHERE})[^\n。!?]){{1,26}}?"
    r"(?:出産(?:しま|した|して|いたし|です|(?=[、。! \n]|$))|誕生(?=[、。!♡ \n]|$|です)|産みました|産んだ|"
    r"生みました|[産生]まれ(?:ました|て|た)|"
    r"うまれました|誕生しました|爆誕))",
    _DATE,
)
_REPORT = cue(
    "in a report of a birth",
    rf"(?:出産(?:レポ|報告|記録|体験|しました)|バースレポ|帝王切開|陣痛|おしるし|"
    rf"破水)[^\n]{{0,40}}(?:\n[^\n0-9]{{0,30}})?(?<![0-9])(?P<cued>{_B}(?:{_FULL}){_E})(?!に?(?:予約|説明会|健診|"
    rf"検診))",
)
_TURNS = cue(
    "the day of turning an age",
    rf"(?P<cued>{_B}(?:{_FULL}|{_MONTH_DAY}|{_SHORT}){_E}){_DAY_NOTE}(?:で|に|には|"
    rf"にて)[^0-9\n。、]{{0,8}}[0-9]{{1,2}} ?(?:歳|才)(?:の?お?(?:誕生日|バースデー)|に?な(?:り|っ|る)|を迎|(?=$|"
    rf"[、。!♡ \n]))",
    _DATE,
)
_AGES = r"(?:[0-9]{1,2}|[一二三四五六七八九十]{1,2}) ?(?:歳|才|さい)"
_TURNS_TOO = cue(
    "the day of turning an age, in few words",
    rf"(?P<cued>{_B}(?:{_FULL}|{_MONTH_DAY}|{_SHORT}){_E})(?:(?:でやっと|でもう|で|に){_AGES}(?:に?な(?:り|っ|る)|"
    rf"の?お?誕生日{_PARTY}|"
    rf"を迎|だよ|です(?=$|[。!♡\n]))| ?[→⇒] ?{_AGES}(?=$|[、。!♡ \n]|に?な[りっる])| 0 ?[歳才] ?[→⇒])",
    _DATE,
)
_SAID_BEFORE = cue(
    "said before the word",
    rf"(?P<cued>{_B}(?:{_FULL}|{_MONTH_DAY}|{_SHORT}){_E})(?:なんです|なんだ|なのよ|なの|です|だよ)(?:よね?|けど|"
    rf"が)?[、。 ]{{1,2}}"
    r"お?誕生日(?=$|[。!♡☆\n])",
    _DATE,
)
_DAYS_CHILD = cue("a child of the day", rf"(?P<cued>{_B}{_MONTH_DAY}{_E})(?=っ[子こ](?![一-鿿]))", _DATE)
_PARTY_HELD = cue(
    "a party at home",
    rf"(?P<cued>{_B}{_MONTH_DAY}{_E})に(?:家で|おうちで|お家で)?お誕生会を?し(?=た|ました)",
    _DATE,
)
_BD = cue(
    "after BD",
    rf"(?i)(?<![A-Za-z0-9.])(?:B\.D\.?|BD)[はが:→= ]{{0,3}}(?P<cued>{_ANY})(?!日| ?(?:に|の|より)?(?:発売|予約|返却|"
    rf"録画|"
    rf"リリース|レンタル|"
    r"届|到着|購入|枚|話|版))",
)
_ASKED = cue(
    "after a question on birthdays",
    rf"誕生日(?:は|って|が)?[^0-9\n会]{{0,6}}いつ[^0-9\n]{{0,8}}?(?:うち|私|わたし|息子|娘|[長次][男女]|[上下]の子)"
    rf"(?:の子)?[はもが]?、? ?"
    rf"(?P<cued>{_ANY})(?=です|だよ|なん|生|[。!♡ \n]|$)",
)
_CHILD = (
    r"(?:長男|次男|三男|四男|長女|次女|三女|四女|息子|むすこ|娘|むすめ|上の子|下の子|真ん中|第[一二三四1-4]子|"
    r"[1-4一二三四]人目|子供|子ども|こども|ベビー|赤ちゃん|"
    r"主人|旦那|夫|妻|嫁|私|わたし|本人|ママ|パパ|父|母|くん|ちゃん|君|さん|様|氏|名前|生)"
)
# "長男 2018.3.5", "はなちゃん(2018/3/5)": a whole date, and nothing said of what happened on it.
_BRACKETED = cue("in brackets", rf"{_CHILD}[^0-9\n。(]{{0,6}}\((?P<cued>{_B}{_FULL}{_E})(?: ?生まれ| ?生)?\)")
_LISTED = cue(
    "in a list",
    rf"{_CHILD}[ :→・=]{{1,3}}(?P<cued>{_B}{_FULL}{_E})(?= ?(?:$|[、,)。♡♂♀\n(]|生|[長次三][男女]))",
)
_LISTED_BEFORE = cue(
    "in a list, before",
    rf"(?P<cued>{_B}{_FULL}{_E})(?: ?生)?[ :・/、(→]{{0,2}}{_CHILD}(?=$|[、。\n ()♡♂♀])",
    _DATE,
)

_SIBLINGS = cue(
    "two before a word",
    rf"(?i)(?P<cued>{_ANY})[、,と ]{{1,2}}[^0-9\n。!?]{{0,8}}(?P<cued>{_ANY})[ にがの]{{0,2}}(?:{_BORN}|"
    rf"お?誕生日{_PARTY})",
    _DATE,
)
_SIBLING_AFTER = cue(
    "after one that was born",
    rf"(?:{_FULL}|{_MONTH_DAY}) ?(?:生まれ|産まれ|うまれ|生)[^0-9\n。!?]{{1,10}}(?P<cued>{_SURE})(?=[^0-9に]|$)",
    _DATE_BEGINS.replace("(?<![0-9])", "", 1),
)
_OURS = cue(
    "ours, after a sentence on birthdays",
    rf"(?:誕生日|予定日)[^0-9\n]{{0,20}}(?:うち|私|わたし|息子|娘|長[男女]|次[男女]|上の子|"
    rf"下の子)[はもが]の?、? ?(?P<cued>{_ANY})(?=です|だよ|なん|生|[。!♡ \n]|$)",
)
_SIX_BEFORE = cue(
    "six digits before a word", rf"(?P<cued>{_SIX})(?:生まれ|産まれ|うまれ|生(?=[)、。 \n]|$))", _DATE_BEGINS
)
_AGED = cue("before an age in brackets", rf"(?P<cued>{_B}{_FULL}{_E}) ?\([0-9]{{1,2}}(?:歳|才)\)", _DATE)

_PEOPLE = (
    r"(?:ママ|パパ|夫|旦那さ?ん?|主人|妻|嫁|私|わたし|うち|自分|娘|息子|むすめ|むすこ|[長次三四][男女]|[上下]の子|真ん中|"
    r"第[一二三四1-4]子|[1-4一二三四]人目|お?[姉兄]ちゃん|弟|妹|兄|姉|じいじ|ばあば|[父母]|両親|子ども?|こども|彼|友達)"
)
_EACH = cue(
    "each one's, after a word",
    rf"(?i)(?:お?誕生日{_PARTY}|バースデー{_PARTY}|生年月日)[はがも: 、→\n]{{0,3}}"
    rf"(?:(?:{_PEOPLE}[はがもの:(→ ]{{0,2}})?{_ANY}(?:です|だよ|で|が)?[、,・/)→ \n]{{1,3}})?"
    rf"{_PEOPLE}[はがもの:(→ ]{{0,2}}(?P<cued>{_ANY})(?![に〜~])"
    rf"(?:(?:です|だよ|で|が)?[、,・/) \n]{{1,3}}{_PEOPLE}[はがもの:(→ ]{{0,2}}(?P<cued>{_ANY})(?![に〜~]))*+",
)
_ANSWERED = cue(
    "the answer to a question",
    rf"(?:誕生日|予定日)(?:は|って|が)?[^0-9\n。会!?]{{0,8}}(?:いつ|何日|何月)[^0-9\n]{{0,12}}[?!→」 \n]{{1,3}}"
    rf"[^0-9\n。!?]{{0,8}}"
    rf"(?P<cued>{_ANY})(?=です|だよ|なん|生|[。!♡ \n]|$)",
)
_HAPPY = cue(
    "the day of an age, to be congratulated",
    rf"(?P<cued>{_B}(?:{_FULL}|{_MONTH_DAY}|{_SHORT}){_E}){_DAY_NOTE}[、でに !☆♡]{{0,2}}(?:{_PEOPLE}[がはも、]?)?"
    rf"(?:満|ついに|もう|やっと|無事に?|祝)?、?{_AGES}(?:お?めでと|の?お?誕生日{_PARTY}|の?バースデー{_PARTY}|です|に?なりま|に?なった|"
    rf"を迎え)",
    _DATE,
)
# The day a present is for is the birthday; a present alone has no day.
_PRESENT = cue(
    "of the birthday's present",
    rf"(?P<cued>{_B}(?:{_FULL}|{_MONTH_DAY}|{_SHORT}){_E})の(?:{_PEOPLE}の)?(?:[0-9]{{1,2}}[歳才]の)?"
    rf"(?=(?:お?誕生日|バースデー)(?:プレ|ケーキ|の?お?祝い|会|パーティ))",
    _DATE,
)
_SIGN = cue(
    "before a sign of the zodiac",
    rf"(?P<cued>{_B}{_MONTH_DAY}{_E})(?=[のは、]{{0,2}}(?:[おオ]?(?:ひつじ|うし|てんびん|さそり|とめ)|ふたご|双子|かに|蟹|しし|獅子|"
    rf"おとめ|乙女|天秤|蠍|いて|射手|やぎ|山羊|みずがめ|水瓶|うお|魚|牡羊|牡牛)座)",
    _DATE,
)
_BABY = cue(
    "a baby of the day",
    rf"(?P<cued>{_ANY})(?=の?ベビー?(?:です|の(?:ママ|母|方)|ちゃん|[。!♡\n]|$|ママ|同士|仲間))",
    _DATE,
)
_PLANNED = cue(
    "the day a birth is planned for",
    rf"(?P<cued>{_ANY}){_DAY_NOTE}[にで、の ]{{0,2}}(?:[^0-9\n。、!?]{{0,10}})(?:出産|分娩|帝王切開|帝切)"
    r"(?:の?予定|が?決ま)",
    _DATE,
)
_BORN_AS = cue(
    "before words and a birth",
    rf"(?P<cued>{_B}(?:{_MONTH_DAY}|{_SHORT}){_E})(?=(?:(?!{_ELSEWHERE}|以降|から|まで|対象|学年)[^0-9\n。、!?]){{1,10}}?"
    rf"(?:生まれ|産まれ|うまれ)(?:の|です|だ|なの|なん|で[。、す ]|[。!♡\n]|$))",
    _DATE,
)
_BORN_THEN = cue(
    "after the news of a birth",
    rf"(?:[生産]まれ|うまれ)ました[!。♡☆♪ \n]{{1,3}}(?P<cued>{_B}(?:{_FULL}|{_MONTH_DAY}){_E})",
)
_PAIR = cue(
    "two of two children",
    rf"(?P<cued>{_B}{_FULL}{_E})と(?P<cued>{_B}{_FULL}{_E})(?=の(?:[2二]人|兄弟|姉妹|年子|子))",
    _DATE,
)
_BEFORE_BD = cue("before BD", rf"(?P<cued>{_B}(?:{_FULL}|{_MONTH_DAY}|{_SHORT}){_E})(?=(?:が|は)BD(?![A-Za-z]))", _DATE)
_FOUR_DIGITS = cue(
    "four digits before a word",
    r"(?<![0-9./-])(?P<cued>(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01]))(?:生まれ|産まれ|うまれ)(?!る)",
    r"(?<![0-9])[01][0-9]",
)

# A whole date and a word about birth in the same breath: what else a day is of stands nearer to it.
_MONTH_AND_DAY = beside("month and day near a word", rf"(?P<near>{_B}(?:{_MONTH_DAY}|{_M}/{_D}){_E})", _DATE)
_ITS_WORD = regex.compile(
    rf"(?:生まれ|産まれ|うまれ|お?誕生日{_PARTY}|お?たんじょうび{_PARTY}|生年月日|出生日?|出産予定日?|"
    rf"(?<![一-鿿ァ-ヺー])予定日|バースデ[ーイィ]"
    rf"{_PARTY}|(?i:birthday|due ?date|DOB|EDD))"
)
_BESIDE = beside("near a word", rf"(?P<near>{_B}{_FULL}{_E})", _DATE)
_NEAR = (
    r"生まれ|産まれ|うまれ|ウマレ|誕生|たんじょう|タンジョウ|生年月日|セイネンガッピ|せいねんがっぴ|出生|生誕|爆誕|"
    r"(?:出産|お産|分娩)(?:日|し|予定)|(?<![一-鿿ァ-ヺー])予定日|birth|DOB|バースデ|バースディ|[産生](?:んだ|みました|"
    r"んで)|(?:子ども|子供|子)[①-⑨]|"
    r"年の差|[0-9]{1,2}(?:歳|才)(?:です|に|の|差|児)|何歳|年子|生後"
)
_OF_THE_DAY = regex.compile(
    r"(?:[健検]診|予約|入園|入学|入院|退院|卒[園業]|旅行|説明会|面談|参観|遠足|運動会|発売|購入|注文|届い|引っ?越|"
    r"締め?切|〆|開催|"
    r"開店|接種|申請|提出|更新|期限|まで|から|募集|改正|施行|オープン|受付|放送|公開|結婚|入籍|離婚|入社|退職|復帰|"
    r"仕事|投稿|追記)"
)

# A day right after "誕生日、" that is said at once to be of something else.
_SAID_OTHERWISE = regex.compile(
    r"[はがのに]?(?:登園|予防接種|接種|[健検]診|発売|入園式|卒園式|入学式|運動会|遠足|参観|説明会|面談|引っ?越)"
)
_WHOLE, _CLAUSE_END, _NUMBERS = regex.compile(_FULL), regex.compile("[。!?\n、]"), regex.compile("[0-9]+")
_RANGE_BEFORE = regex.compile(r"(?:から|〜|~|[0-9日]-) ?$")
_SCHOOL_YEAR = regex.compile(r"学年|早生まれ|遅生まれ|対象|以降|以前|募集|満[0-9]|限定|クラス分け")

EXAMPLES = (
    Example("生年月日：2020/8/6", ("2020/8/6",)),
    Example("うちの子は令和2年8月6日生まれです", ("令和2年8月6日",)),
    Example("下の子（2020.8.6生）と8月6日(木)に産まれた上の子", ("2020.8.6", "8月6日")),
    Example("誕生日は8月6日、DOB 20200806", ("8月6日", "20200806")),
    Example("平成三十年五月三日生まれと㍻30年5月3日生まれ", ("平成三十年五月三日", "㍻30年5月3日")),
    Example("5/3が誕生日、予定日は10月8日です", ("5/3", "10月8日")),
    Example("誕生日は長男が3月5日、次男が8月10日です", ("3月5日", "8月10日")),
    Example("昨日2020.8.6に3020gの女の子を無事出産しました", ("2020.8.6",)),
    Example("2024年4月6日に説明会、生後2ヶ月、3/4は食べた。誕生日会は5月3日、支払予定日は5月10日", ()),
    Example("2018年4月2日〜2019年4月1日生まれが対象。誕生日ケーキを5月3日に予約", ()),
)


class _BirthDate(CuedPatternRecognizer):
    """Dates that are a day of somebody's."""

    def is_near(self, match: "regex.Match[str]") -> bool:
        """Whether a word about birth is near, and nothing else said to be of that day."""
        start, end = match.span("near")
        right_after = match.string[end : end + 10].split("\n")[0]
        if _OF_THE_DAY.search(right_after) or not self._is_a_day(match.string, start, end):
            return False
        if _WHOLE.match(match["near"]):
            return self.has_word_near(match)
        said = _CLAUSE_END.split(match.string[max(0, start - 24) : start])[-1]
        follows = _CLAUSE_END.split(match.string[end : end + 16])[0]
        return any(_ITS_WORD.search(side) and not _OF_THE_DAY.search(side) for side in (said, follows))

    def accepts(self, match: "regex.Match[str]") -> bool:
        """Whether the date is one day: no end of a range, no line between school years, no other event's."""
        start, end = match.span("cued")
        return not _SAID_OTHERWISE.match(match.string, end) and self._is_a_day(match.string, start, end)

    def _is_a_day(self, text: str, start: int, end: int) -> bool:
        if _RANGE_BEFORE.search(text[max(0, start - 4) : start]):
            return False
        written = _NUMBERS.findall(text[start:end])
        limit = [int(part) for part in written[-2:]] in ([4, 1], [4, 2], [3, 31])
        return not (limit and _SCHOOL_YEAR.search(text[max(0, start - 40) : end + 40]))


def recognizer() -> CuedPatternRecognizer:
    """
    Finds BIRTH_DATE: Gregorian or era dates with a day, and a month and day beside a word for a birthday.

    A month of birth alone is not one, nor is the day of a party.
    """
    return _BirthDate(
        "BIRTH_DATE",
        _AFTER_WORD,
        _AFTER_WORDS,
        _SIX_DIGITS,
        _BEFORE_WORD,
        _BEFORE_BIRTHDAY,
        _BEFORE_VERB,
        _BORN_AT,
        _TURNS,
        _TURNS_TOO,
        _SAID_BEFORE,
        _DAYS_CHILD,
        _PARTY_HELD,
        _HAPPY,
        _PRESENT,
        _SIGN,
        _BABY,
        _PLANNED,
        _BORN_AS,
        _PAIR,
        _BEFORE_BD,
        _SIBLINGS,
        _AGED,
        _BESIDE,
        _MONTH_AND_DAY,
        _LISTED_BEFORE,
        _SIX_BEFORE,
        _SIBLING_AFTER,
        _EACH,
        _ANSWERED,
        _BORN_THEN,
        _FOUR_DIGITS,
        _REPORT,
        _BRACKETED,
        _LISTED,
        _OURS,
        _ASKED,
        _BD,
        near=_NEAR,
        needs=r"(?<![0-9])(?:0?[1-9]|1[0-2])(?: ?[-月/.,・の*_♪♡\p{So}] ?の?| )(?:[12][0-9]|3[01]|0?[1-9])"
        r"(?![0-9])|[0-9]{6}|[01][0-9]{3}[生産う]"
        r"|[a-z]\.? ?[0-9]|[0-9](?:st|nd|rd|th)?[- ]?[A-Z]",
        words=r"(?i)生|座|ベビ|帝切|分娩|の(?:[2二]人|兄弟|姉妹)|産|誕|うま|ウマレ|たん[じ生]|予定日|[歳才]|birth|born|DOB|D\.O\.B|b\.?day|バース|"
        r"\U0001f382|\U0001f476|\U0001f423"
        r"|[男女]|タンジョウ|セイネン|せいねん|息子|娘|の子|子ども|子供|[目親夫妻嫁父母君様氏]|[主本]人|旦那|私|"
        r"わたし|名前|ベビー|赤ちゃん|"
        r"ママ|パパ|くん|ちゃん|さん"
        r"|帝王|陣痛|おしるし|破水|[0-9一二三四五六七八九十]さい|日っ[子こ]|(?<![a-z])B\.?D(?![a-z])",
    )

"""Names, written as kanji:kana:romaji, and how they combine into members and children."""

import functools

import numpy as np
import pyarrow as pa

from sudare.demo.columns import by_form, choose, half_width_kana, join, numbers, pick
from sudare.demo.draws import Draws

_SURNAMES = """
佐藤:サトウ:sato 鈴木:スズキ:suzuki 高橋:タカハシ:takahashi 田中:タナカ:tanaka 伊藤:イトウ:ito
渡辺:ワタナベ:watanabe 山本:ヤマモト:yamamoto 中村:ナカムラ:nakamura 小林:コバヤシ:kobayashi 加藤:カトウ:kato
吉田:ヨシダ:yoshida 山田:ヤマダ:yamada 佐々木:ササキ:sasaki 山口:ヤマグチ:yamaguchi 松本:マツモト:matsumoto
井上:イノウエ:inoue 木村:キムラ:kimura 林:ハヤシ:hayashi 斎藤:サイトウ:saito 清水:シミズ:shimizu
山崎:ヤマザキ:yamazaki 森:モリ:mori 池田:イケダ:ikeda 橋本:ハシモト:hashimoto 阿部:アベ:abe 石川:イシカワ:ishikawa
山下:ヤマシタ:yamashita 中島:ナカジマ:nakajima 石井:イシイ:ishii 小川:オガワ:ogawa 前田:マエダ:maeda
岡田:オカダ:okada 長谷川:ハセガワ:hasegawa 藤田:フジタ:fujita 後藤:ゴトウ:goto 近藤:コンドウ:kondo
村上:ムラカミ:murakami 遠藤:エンドウ:endo 青木:アオキ:aoki 坂本:サカモト:sakamoto 斉藤:サイトウ:saito
福田:フクダ:fukuda 太田:オオタ:ota 西村:ニシムラ:nishimura 藤井:フジイ:fujii 金子:カネコ:kaneko
岡本:オカモト:okamoto 藤原:フジワラ:fujiwara 中野:ナカノ:nakano 三浦:ミウラ:miura 原田:ハラダ:harada
松田:マツダ:matsuda 竹内:タケウチ:takeuchi 中川:ナカガワ:nakagawa 小野:オノ:ono 田村:タムラ:tamura
上田:ウエダ:ueda 森田:モリタ:morita 原:ハラ:hara 柴田:シバタ:shibata 酒井:サカイ:sakai 宮崎:ミヤザキ:miyazaki
横山:ヨコヤマ:yokoyama 高木:タカギ:takagi 安藤:アンドウ:ando 宮本:ミヤモト:miyamoto 大野:オオノ:ono
島田:シマダ:shimada 谷口:タニグチ:taniguchi 今井:イマイ:imai 工藤:クドウ:kudo 高田:タカダ:takada
増田:マスダ:masuda 丸山:マルヤマ:maruyama 杉山:スギヤマ:sugiyama 村田:ムラタ:murata 大塚:オオツカ:otsuka
新井:アライ:arai 小島:コジマ:kojima 平野:ヒラノ:hirano 藤本:フジモト:fujimoto 河野:コウノ:kono 上野:ウエノ:ueno
武田:タケダ:takeda 野口:ノグチ:noguchi 松井:マツイ:matsui 千葉:チバ:chiba 菅原:スガワラ:sugawara
岩崎:イワサキ:iwasaki 久保:クボ:kubo 木下:キノシタ:kinoshita 佐野:サノ:sano 野村:ノムラ:nomura 松尾:マツオ:matsuo
市川:イチカワ:ichikawa 菊地:キクチ:kikuchi 杉本:スギモト:sugimoto 古川:フルカワ:furukawa 大西:オオニシ:onishi
島崎:シマザキ:shimazaki 髙橋:タカハシ:takahashi 渡邉:ワタナベ:watanabe 齋藤:サイトウ:saito 山﨑:ヤマザキ:yamazaki
比嘉:ヒガ:higa 金城:キンジョウ:kinjo 宮城:ミヤギ:miyagi 森本:モリモト:morimoto 桜井:サクライ:sakurai
星野:ホシノ:hoshino 水野:ミズノ:mizuno 秋山:アキヤマ:akiyama 光:ヒカリ:hikari 神:ジン:jin 東:アズマ:azuma
南:ミナミ:minami
"""

_FEMALE = """
花子:ハナコ:hanako 美咲:ミサキ:misaki 陽子:ヨウコ:yoko 由美子:ユミコ:yumiko 裕子:ユウコ:yuko 恵:メグミ:megumi
麻衣:マイ:mai 愛:アイ:ai 彩:アヤ:aya 真由美:マユミ:mayumi 智子:トモコ:tomoko 友美:トモミ:tomomi 絵美:エミ:emi
千尋:チヒロ:chihiro 香織:カオリ:kaori 直美:ナオミ:naomi 久美子:クミコ:kumiko 沙織:サオリ:saori 舞:マイ:mai
優子:ユウコ:yuko 綾:アヤ:aya 亜希子:アキコ:akiko 瞳:ヒトミ:hitomi 里美:サトミ:satomi 奈々:ナナ:nana 理恵:リエ:rie
美穂:ミホ:miho 千佳:チカ:chika さやか:サヤカ:sayaka あゆみ:アユミ:ayumi みどり:ミドリ:midori ひとみ:ヒトミ:hitomi
めぐみ:メグミ:megumi かおり:カオリ:kaori まい:マイ:mai えりか:エリカ:erika 杏奈:アンナ:anna 遥:ハルカ:haruka
葵:アオイ:aoi 七海:ナナミ:nanami 桃子:モモコ:momoko 詩織:シオリ:shiori 早紀:サキ:saki 佳奈:カナ:kana
麻美:アサミ:asami 典子:ノリコ:noriko 純子:ジュンコ:junko 薫:カオル:kaoru 和美:カズミ:kazumi 幸子:サチコ:sachiko
涼子:リョウコ:ryoko 尚子:ナオコ:naoko 美樹:ミキ:miki 玲奈:レナ:rena 莉子:リコ:riko 光:ヒカル:hikaru
樹里:ジュリ:juri エミリ:エミリ:emiri リサ:リサ:risa 千夏:チナツ:chinatsu 朋子:トモコ:tomoko 希:ノゾミ:nozomi
菜摘:ナツミ:natsumi 春奈:ハルナ:haruna 志保:シホ:shiho 美香:ミカ:mika 真央:マオ:mao 由佳:ユカ:yuka 梓:アズサ:azusa
"""

_MALE = """
太郎:タロウ:taro 健太:ケンタ:kenta 翔太:ショウタ:shota 大輔:ダイスケ:daisuke 直樹:ナオキ:naoki 誠:マコト:makoto
拓也:タクヤ:takuya 和也:カズヤ:kazuya 哲也:テツヤ:tetsuya 学:マナブ:manabu 亮:リョウ:ryo 剛:ツヨシ:tsuyoshi
智也:トモヤ:tomoya 裕太:ユウタ:yuta 修:オサム:osamu 淳:ジュン:jun 浩:ヒロシ:hiroshi 陽介:ヨウスケ:yosuke
"""

CHILDREN: tuple[str, ...] = (
    *("さくら", "ゆい", "めい", "ひまり", "あかり", "いちか", "つむぎ", "ほのか", "ひなた", "りん", "こはる"),
    *("みお", "ゆな", "えま", "さな", "のあ", "はな", "いろは", "すず", "かのん", "はると", "そうた", "みなと"),
    *("ゆうと", "あおと", "りく", "そら", "れん", "ひろと", "たいが", "かいと", "ゆうま", "りお", "あさひ"),
    *("はる", "いつき", "しょう", "けんと", "なぎ", "あお", "陽葵", "結愛", "紬", "凛", "芽依", "莉子", "葵"),
    *("心春", "咲良", "美月", "蓮", "陽翔", "湊", "蒼", "律", "朝陽", "大翔", "悠真", "樹", "颯太", "新", "暖"),
    *("岳", "奏", "光", "ハルト", "ユイ", "ソラ", "リン", "メイ", "ルナ", "レオ", "ノア", "エマ", "カノン"),
    *("マナ", "リオ"),
)
"""What children are called at home, in the scripts parents type."""


@functools.cache
def _lists(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(zip(*(entry.split(":") for entry in text.split()), strict=True))


def _surname_index(draws: Draws, ids: np.ndarray) -> np.ndarray:
    weights = [max(4, 200 // (rank + 3)) for rank in range(len(_lists(_SURNAMES)[0]))]
    return draws.weighted("surname", ids, weights)


def surname(draws: Draws, ids: np.ndarray, script: int = 0) -> pa.Array:
    """Members' family names; script 0 is kanji, 1 kana, 2 romaji."""
    return pick(_lists(_SURNAMES)[script], _surname_index(draws, ids))


def given(draws: Draws, ids: np.ndarray, male: np.ndarray, script: int = 0) -> pa.Array:
    """Members' given names; script 0 is as written, 1 kana, 2 romaji."""
    women, men = _lists(_FEMALE)[script], _lists(_MALE)[script]
    hers = pick(women, draws.below("given", ids, len(women)))
    return choose(male, pick(men, draws.below("given", ids, len(men))), hers)


def is_male(draws: Draws, ids: np.ndarray) -> np.ndarray:
    """True for the few fathers."""
    return draws.weighted("gender", ids, GENDER_WEIGHTS) == 1


GENDERS: tuple[str | None, ...] = ("female", "male", "other", None)
GENDER_WEIGHTS: tuple[int, ...] = (880, 60, 10, 50)


def full_name(draws: Draws, ids: np.ndarray, script: int = 0) -> pa.Array:
    """Family and given name, with no space, a space or an ideographic space between."""
    gap = pick(("", " ", "\u3000"), draws.weighted("name gap", ids, (5, 4, 2)))
    return join(surname(draws, ids, script), gap, given(draws, ids, is_male(draws, ids), script))


def nickname(draws: Draws, ids: np.ndarray) -> pa.Array:
    """What members call themselves on the boards."""
    roman, kana = (given(draws, ids, is_male(draws, ids), script) for script in (2, 1))
    child = pick(CHILDREN, draws.below("nickname child", ids, len(CHILDREN)))
    tail = pick(_NICKNAME_TAILS, draws.below("nickname tail", ids, len(_NICKNAME_TAILS)))
    number = numbers(draws.below("nickname number", ids, 1000))

    def at(column: pa.Array):
        return lambda rows: column.take(pa.array(rows))

    makers = (
        at(join(roman, tail)),
        at(join(child, "ママ")),
        at(join(kana, tail)),
        at(join(roman, "_", number)),
        at(join("ママ", number)),
        lambda rows: pick(_PLAIN_NICKNAMES, draws.below("plain nickname", ids[rows], len(_PLAIN_NICKNAMES))),
    )
    return by_form(draws.weighted("nickname form", ids, (20, 30, 15, 15, 10, 10)), makers)


_NICKNAME_TAILS = ("", "ママ", "mama", "☆", "♪", "＠2児の母", "ちゃん", "🐻", "まま", ".", "@妊娠中", "_ikuji")

_PLAIN_NICKNAMES = (
    *(
        "はじめてママ",
        "ねむい人",
        "どんぐり",
        "プリン",
        "おかゆ",
        "三姉妹の母",
        "年子ママ",
        "ワーママ",
        "ぷーさん",
        "匿名希望",
    ),
    *(half_width_kana(word) for word in ("ミルク", "ラムネ", "モモ", "コトリ")),
)

"""Names of facilities of many kinds, and kinds without a name."""

import time

import pytest

from anonymizers.text.artifacts import TextArtifacts
from anonymizers.text.recognizers import facility
from anonymizers.text.tokenizer import SentenceTooLong

RECOGNISER = facility.recognizer()


def found(text):
    """What is found in a text; of spans within another the longer."""
    spans = [(r.start, r.end) for r in RECOGNISER.analyze(text, ["FACILITY"], TextArtifacts(text))]
    return [text[a:b] for a, b in spans if not any(c <= a and b <= d and (a, b) != (c, d) for c, d in spans)]


NAMES = """
ひばりが丘保育園 うめもと小児科クリニック 市立第三小学校 西町小 はなぶさ幼稚園 聖マリア病院
ABCインターナショナルスクール 第二みどり保育所 あおぞら学童クラブ 高津区役所前保育園 若竹の杜幼稚園
たかはし耳鼻咽喉科 みやけ皮膚科クリニック 永田産婦人科 さくまこどもクリニック 県立こども医療センター
おおたかの森病院 桜台マタニティクリニック わたなべ歯科 横浜市立架空緑小学校 県立鎌倉高校 田中そろばん塾
小林英語教室 鶴見児童館 みなみ台児童館 放課後等デイサービスひまわり わかば会保育園 りんごの木保育園
とちのき幼稚園 どろんこ保育園 なでしこ幼稚園 つくしんぼ共同保育所 パンダ託児ルーム くるみ助産院 ピノキオ幼児舎
富士見ヶ丘幼稚園 西五反田第二保育園 おおぞら特別支援学校 森整形外科 まつもと眼科 コスモス歯科 星の子保育園
きらきら星保育園 愛児保育園 三小 つくし園 ほいくえんおひさま 放課後クラブ・ピース
明澄学園初等部 架空工業高等学校 架空台女子短期大学 このはなレディースクリニック 架空大学医学部附属病院
青い鳥保育園 ほしのもり保育園 こどものくに幼稚園 ラパン保育園 白鳥女子高校 リズムランド音楽教室
認定こども園エンゼル 児童発達支援センターそらいろ キッズデンタル西原 親子ひろばミモザ 療育センターつばさ
アイリス保育園高砂 青葉第二保 しらゆり幼 わかばこ園 山本こどもCL 青葉アレクリ 若葉台プラザ
""".split()

KINDS = """
認可保育園に落ちた 近くの小児科がいい 市の保育園に電話 総合病院で産みたい 公立小学校か私立か
地元の幼稚園に入れた うちの保育園は厳しい 保育園の先生が好き 小規模保育園に通ってる 企業主導型保育園ってどう
夜間救急病院に行った 耳鼻科混みすぎ 産婦人科に行きたくない かかりつけのクリニックで 前の園の先生
息子の小学校の入学式 娘が保育園で熱出した 今日保育園で 来月から小学校 上の子の幼稚園が遠い 同じ保育園のママ
認定こども園と幼稚園の違い 家庭的保育室ってどう 一時保育室を利用 病児保育室が満員 駅前保育園がいい
第一希望の保育園に落ちた 昨日小児科行ってきた 初めての歯医者さん 子ども歯科ってどこがいい 小児歯科に通ってる
学習塾に行かせたい 個別塾と集団塾どっち 英会話教室の体験 ピアノ教室に通わせたい ママ向けヨガ教室
離乳食教室に参加 両親学級とマタニティ教室 スイミングスクールやめたい 体操教室が楽しい ベビースイミング教室
市の支援センターに行った 子育て支援センターで友達できた 児童館デビュー 学童に入れなかった
放課後等デイサービスの見学 療育センターの予約が取れない 不妊治療クリニックの費用 レディースクリニックで相談
個人病院か総合病院か いい病院ありますか 大きい病院に紹介 有名な産院で産んだ 里帰り先の病院 通ってる幼稚園で
行きたい高校がない 娘の中学校が荒れてる 転園先の保育園 オススメの小児科 おすすめ保育園教えて 人気幼稚園は並ぶ
マンモス幼稚園 私立高校の学費 公立中学校の給食 女子校か共学 動物病院に連れてった 総合周産期医療センターで出産
夏休みの学童 料理教室に行く パパママ教室 プログラミング教室ってどう オンライン英会話スクール 図書館で借りた
全国の保育園 日本の小学校は 東京の保育園は高い 横浜市の保育園の空き 世界中の子供 妊娠中は大変 最小の負担
小中学校の統合 保育園バッグの作り方 幼稚園バスが来ない 病院ママさん 最寄りの皮膚科 モンテッソーリ保育園ってどう
インターナショナルスクールの学費 遠いけど保育園 どの小児科も予約とれない ここの病院は 3歳から幼稚園
2年保育幼稚園 土曜保育園休みたい ワクチンは小児科 コロナで学校休校 仕事中に保育園から電話 一番近い内科
待ち時間長い眼科 優しい小児科 新しい小学校 前期の教室 空き教室で遊ぶ 隣の教室 公園の近くの保育園 熱で病院
インフルで小児科 食物アレルギー対応保育園 発達障害の学校 院内保育園がある病院 障害児保育園 24時間保育園
延長保育園 保育園バッグを作る 児童館デビューした 体操教室の月謝 スイミングのコーチ 学童の迎え 林間学校の準備
偶然産婦人科で会う 有名幼稚園は並ぶ 児童発達支援の受給者証 塾なしで受験
""".split()

AROUND = ("{}", "息子は{}に通ってます", "今日{}に行ってきた", "4月から{}です", "昨日、{}で言われた", "「{}」の先生")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("around", AROUND)
def test_a_name_is_found_whole(name, around):
    assert found(around.format(name)) == [name]


@pytest.mark.parametrize(
    "text",
    [
        "北条南中の制服",
        "緑小の校区",
        "桜木二小に入学",
        "清風台高に受かった",
        "架空医大に入院",
        "南湖市民のNICU",
        "北陵大に紹介状",
    ],
)
def test_a_school_or_hospital_cut_short_is_found_by_what_is_said_of_it(text):
    assert found(text) == [text[: max(text.find(particle) for particle in "のに")]]


@pytest.mark.parametrize(
    "text", ["仕事中の先生", "横浜に通ってる", "電話中に行く", "最高に合格", "結婚市民の会", "まじめに通ってる"]
)
def test_what_is_written_like_a_kind_cut_short_stays(text):
    assert found(text) == []


@pytest.mark.parametrize(
    "name",
    [
        "さくら☆保育園",
        "サクラ🌸保育園",
        "うめもと・小児科",
        "月見_野小学校",
        "聖♪フ♪ラ♪ン♪シ♪ス♪コ♪病♪院",
        "浄｡徳｡寺｡幼｡稚｡園",
        "ｽ ｲ ﾐ ﾝ ｸ ﾞ ｽ ｸ ｰ ﾙ ･ ﾏ ｰ ﾒ ｲ ﾄ ﾞ",
        "ｻｸﾗ保育園",
        "ハ/ー/ト/フ/ル/ク/リ/ニ/ッ/ク",
    ],
)
def test_a_name_with_marks_between_its_letters_is_found_whole(name):
    assert name in found(f"今は{name}に通っています")


@pytest.mark.parametrize(
    "text",
    [
        "保育園" * 15000,
        "☆さ" * 20000,
        "さ く " * 15000,
        "こども" * 15000 + "園",
        "西町小" * 15000,
        "。".join("塾" * 20000),
    ],
)
def test_a_long_text_is_read_in_time(text):
    began = time.process_time()
    try:
        found_in = RECOGNISER.analyze(text, ["FACILITY"], TextArtifacts(text))
    except SentenceTooLong:
        found_in = []
    assert time.process_time() - began < 5
    assert len(found_in) < len(text)


@pytest.mark.parametrize("text", KINDS)
def test_a_kind_is_no_name(text):
    assert found(text) == []


@pytest.mark.parametrize(
    "name",
    [
        "社会福祉法人架空会 若草保育園",
        "若葉台　第二小",
        "つ・ば・め英数塾",
        "浅 間 台 子 育 て 支 援 セ ン タ ー",
        "Kids Garden 武蔵小杉園",
        "めばえ教室青葉校",
        "つくし」という保育園",
    ],
)
def test_a_name_with_marks_in_it_is_found_whole(name):
    assert any(name in whole for whole in found(f"うちは「{name}に通っています"))


def test_what_a_text_says_of_kinds_between_names_stays():
    assert found("近くの小児科よりうめもと小児科、認可保育園ならさくら保育園") == ["うめもと小児科", "さくら保育園"]

/** Words that say how a question is put, not what it is about. */
const STOP = new Set(
  `a about above after again against all also am an and any are aren't as at be because been before being below
  between both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each
  either else ever every few for from further get gets give given gives go had hadn't has hasn't have haven't
  having he her here hers him his how however i if in into is isn't it it's its itself just know let like many
  may me might mine more most much must my myself neither no nor not now of off on once one only onto or other
  our ours out over own per please quite rather really s same say says shall she should shouldn't show since so
  some such t tell than that that's the their theirs them then there these they this those through thus to too
  under until up upon us very via was wasn't we were weren't what what's when where whether which while who
  whom whose why will with within without won't would wouldn't yes yet you your yours
  describe explain list name find according document documents text file files passage chunk mention mentioned
  mentions state stated states happen happens mean means called
  der die das ein eine einer eines dem den des und oder ist sind war wird werden wie was wer wo wann warum
  le la les un une des et est sont que qui quoi comment quand pourquoi dans pour par sur
  el los las una y es son qué quién cómo cuándo dónde por para en del`.split(/\s+/),
);

/** Words so common in questions and documents that sharing one of them alone shows nothing. */
const COMMON = new Set(
  `able add added allow allowed allows available back based become best better big bring call case cause change
  changed changes come common contain contains create created current day days default defined define different
  difference do done effect enable end exactly example exist existing first follow following form full general
  good great group happened help high hold important include included includes information instead kind large
  last least less level line list long look made main make makes making maximum minimum need needed needs never
  new next number old option options order part particular people place point possible produce provide provided
  provides purpose put reason related require required requires result results return returned returns right run
  runs second see set sets setting settings several short simple small something special specific specify
  start started support supported supports take takes thing things three time times turn two type types use
  used useful user users uses using value values want way ways well work works world year years`.split(/\s+/),
);

const EAST_ASIAN_STOP = new Set(
  `的 了 是 在 有 和 与 或 及 吗 呢 吧 啊 么 什么 怎么 怎样 如何 为什么 为何 哪 哪个 哪些 哪里 谁 多少 几 几个 何时 何 这 那 这个 那个 这些 那些
  它 他 她 我 你 您 我们 你们 他们 请 问 请问 中 上 下 里 对 从 到 被 把 将 会 能 可以 可 应 应该 需要 要 也 都 就 而 之 其 以 于 所 一个 一 个
  は が を に で と も の へ や から まで より です ます でし まし た だ だっ て し する した して いる ある あり なる ない か ね よ これ それ あれ この その あの
  ここ そこ 何 なに なん 誰 だれ どこ いつ どう どの どれ どんな なぜ いくつ いくら こと もの ため よう ください
  은 는 이 가 을 를 의 에 에서 와 과 로 으로 도 무엇 무엇인가요 누구 어디 언제 어떻게 왜 얼마 몇 입니까 인가요 합니까 있는 하는`.split(
    /\s+/,
  ),
);

export function isStopWord(word: string): boolean {
  return STOP.has(word) || EAST_ASIAN_STOP.has(word);
}

export function isCommonWord(word: string): boolean {
  return COMMON.has(word);
}

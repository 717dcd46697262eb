/*
 * Words whose change turns a statement around. A near match may not gain, lose or swap one of them. The lists
 * are heuristics: they cover the languages that documents here are most often in, and err on the strict side.
 */

/** Negations, as whole words in lower case. English contractions in `n't` are found by their ending. */
export const NEGATIONS: ReadonlySet<string> = new Set(
  `not no never none nor neither nothing nobody nowhere without cannot cant non hardly barely scarcely rarely
  lack lacks lacking absent fail fails failed unless except
  nicht kein keine keinen keinem keiner keines nie niemals nichts ohne weder niemand
  ne pas jamais sans aucun aucune rien ni
  nunca sin ningún ninguna ninguno nada tampoco
  mai senza nessun nessuna niente
  não nem sem nenhum nenhuma
  niet geen nooit zonder niets
  не нет никогда без ни ничего`
    .trim()
    .split(/\s+/),
);

/** Amounts, comparisons, permissions, directions and order. */
export const POLAR_WORDS: ReadonlySet<string> = new Set(
  `all any some every each both either only always sometimes often seldom most few fewer less least more many
  must may might can could should shall will would
  before after above below over under up down left right first last next previous
  north south east west northern southern eastern western
  increase increases increased decrease decreases decreased higher lower rise fall rises falls rose fell
  minimum maximum min max true false yes on off in out enable disable enabled disabled
  positive negative inside outside allow allowed allows deny denied forbid forbids forbidden include includes included exclude excludes excluded
  accept accepts accepted reject rejects rejected success failure valid invalid pass passes passed
  with against for buy sell win lose won lost
  zero one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred
  thousand million billion trillion half third quarter double twice triple dozen`
    .trim()
    .split(/\s+/),
);

/** Function words: a near match may drop, add or swap one that is not in the lists above. */
export const FUNCTION_WORDS: ReadonlySet<string> = new Set(
  `a an the this that these those it its is are was were be been being am do does did has have had having
  of to at by from as and or but so if then than when while where which who whom whose what there here
  also just very such into onto upon about between through during per via we you they he she i our your their
  his her them us me my
  der die das den dem des ein eine einen einem einer und oder zu von mit im am ist sind war
  le la les un une des du de et ou est sont el los las una y o es son il lo gli e di che
  het een en van`
    .trim()
    .split(/\s+/),
);

/** Prefixes that make a word mean its opposite, or another thing: `possible`, `impossible`. */
export const TURNING_PREFIX =
  /^(?:un|in|im|il|ir|dis|non|mis|anti|de|a|re|over|under|sub|super|pre|post|en|ex|hypo|hyper|intra|inter|out)-?$/;

/** Characters of unspaced scripts that negate or count, and Japanese and Korean negative endings. */
export const CRITICAL_CHARACTERS =
  /ない|なか|ません|않|없|아니|[不没沒無无非未勿莫別别]|[〇零一二两兩三四五六七八九十百千万萬亿億兆]/gu;

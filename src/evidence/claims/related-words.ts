import { type Token, tokensOf } from './tokens.ts';

/** Words whose exchange turns a statement around; many are from WordNet 3.0. */
const OPPOSITES = new Map<string, string[]>();
for (const pair of `before|prior|earlier/after|afterwards|later
  increase|rise|rose|risen|grow|grew/decrease|fall|fell|fallen|drop|dropped|shrink|shrank|decline
  maximum|max|most|highest|largest|longest|greatest/minimum|min|least|lowest|smallest|shortest above|exceed/below
  higher|larger|greater|more|longer/lower|smaller|less|fewer|shorter upper/lower true/false first/last
  always/never all|every|each|both/none|neither|no anybody|everybody|somebody/nobody
  optional|optionally/mandatory|required|compulsory|must enable/disable|off on/off accept/reject|refuse
  allow|permit/deny|forbid|forbidden|prohibit include/exclude older/newer|younger faster/slower left/right up/down
  inside/outside valid/invalid success|succeed/failure|fail internal/external public/private
  synchronous/asynchronous keep|preserve|retain/lose|lost|discard|drop|delete|remove open|opened/close|closed|shut
  start|begin|began|begun/stop|finish|end add/remove|delete|subtract create/delete|destroy
  work|operate|function/fail reduce|shrink|narrow|contract/extend|expand|widen|enlarge read/write|written
  encourage|recommend|advise/discourage absolute/relative abstract/concrete admit/deny|exclude|reject alive/dead
  appear/disappear bad/good badly/well best/worst better/worse big|large/small|little top/bottom bright|light/dark
  busy/idle cheap/expensive clean/dirty near|close/far|distant hot|warm/cold|cool heat/cool common/rare
  simple/complex danger/safety dangerous/safe arrive/leave|depart divide/multiply|unite
  different|differently/same|identical|identically|equal difficult|hard/easy|soft domestic/foreign
  single/double|multiple early/late east/west eastern/western empty|emptied/full|filled fill/empty
  fast|quick|quickly/slow|slowly find|found/lose|lost follow/precede former/latter|later forward/backward
  front/back|rear future/past gain/loss|lose general/specific|particular generally/specifically half/whole
  heavy|heavily/light|lightly high/low hide|hidden/show|shown|visible|prominent ignore/notice joint/separate
  local/global|remote long/short loose/tight loud|loudly/soft|softly|silent|silently|quiet|quietly win/lose
  major/minor few/many less/more move|leave|left/stay|remain narrow/wide natural/artificial negative/positive
  new/old north/south northern/southern often|frequently/rarely|seldom
  partly|partially/wholly|entirely|fully|completely poor/rich present/absent presence/absence primary/secondary
  privately/publicly active/passive|inactive strength/weakness strong/weak strengthen/weaken useful/useless
  lock/unlock next/previous explicit|explicitly/implicit|implicitly temporary|temporarily/permanent|permanently
  manual|manually/automatic|automatically input/output source/destination connect/disconnect import/export
  encrypt/decrypt compress/decompress upload/download ascending/descending attach/detach acquire/release
  benefit/detriment|harm advantage/disadvantage generous|generously/sparing|sparingly raise/lower ancient/modern
  possible|can/impossible|cannot`.split(/\s+/)) {
  const [one = [], other = []] = pair.split('/').map((side) => side.split('|').map(keyOfWord));
  for (const word of one) OPPOSITES.set(word, [...(OPPOSITES.get(word) ?? []), ...other]);
  for (const word of other) OPPOSITES.set(word, [...(OPPOSITES.get(word) ?? []), ...one]);
}

/** Words that stand for each other in manuals, reports and contracts. */
const SYNONYMS = new Map<string, Set<string>>();
for (const group of `use employ utilize utilise apply, work operate function run execute, need require necessary, allow permit let
  enable, begin start initiate commence, end finish stop terminate complete cease conclude exit quit, delete
  remove erase drop discard, create make build produce generate construct, show display print present indicate
  list output, specify give state indicate set define supply provide pass, obtain get acquire receive retrieve
  gain fetch, change modify alter edit adjust update amend, choose chose chosen select pick, send transmit pass
  deliver, keep retain preserve maintain hold store save remain stay, store save record write keep, start launch
  run invoke call, call invoke name term, error failure fault problem, check verify test examine inspect validate,
  search look find seek locate, occur happen take arise, cause make lead result trigger, whole entire all full
  complete every each, normally usually generally typically commonly ordinarily, about approximately roughly
  around nearly almost circa, before prior until earlier, after following once upon later, default standard normal
  usual, option flag switch parameter setting argument, command program tool utility, increase rise grow raise go
  climb, decrease fall drop decline sink shrink, reduce decrease lower cut diminish limit, limit restrict cap
  bound confine, forbid prohibit ban disallow, refuse reject decline deny, contain include hold comprise, consist
  contain comprise, wait delay pause, replace substitute overwrite supersede, avoid prevent, rarely seldom, often
  frequently, empty blank null, return yield give, interpret treat read understand parse, enough sufficient
  adequate, ensure guarantee assure, issue emit print raise produce, insert add append put, advance ahead
  beforehand`.split(',')) {
  const words = group.trim().split(/\s+/).map(keyOfWord);
  for (const word of words) SYNONYMS.set(word, new Set([...(SYNONYMS.get(word) ?? []), ...words]));
}

/** What a word has in common with its forms; function words and negations have only themselves. */
export function keyOf({ stem, lower }: Token): string {
  return stem === '' ? lower : stem;
}

function keyOfWord(word: string): string {
  const [token] = tokensOf(word);
  return token === undefined ? word : keyOf(token);
}

const TURNING = /^(?:un|dis|non-?|in(?=.{5})|im(?=.{5})|ir(?=.{5})|il(?=.{5}))(?=.{4})/u;

/** What turns a statement around in a word's place: its opposites, and the word with or without `un`, `in`, `dis`. */
export function oppositesOf(key: string): string[] {
  if (key.length < 4) return OPPOSITES.get(key) ?? [];
  const bare = key.replace(TURNING, '');
  const turned = ['un', 'dis', 'non', 'non-', 'in', 'im', 'ir', 'il'].map((prefix) => prefix + key);
  return [
    ...(OPPOSITES.get(key) ?? []),
    ...turned.filter((word) => TURNING.test(word)),
    ...(bare === key ? [] : [bare]),
  ];
}

/** Whether two words are the same or may stand for each other. */
export function areSynonyms(one: string, other: string): boolean {
  return one === other || SYNONYMS.get(one)?.has(other) === true;
}

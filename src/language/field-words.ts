import { stemmer } from 'stemmer';

/** Words that documents about software use for one another, and that a general thesaurus keeps apart. */
const GROUPS: readonly (readonly string[])[] = `abort cancel
  alias alternative nickname
  argument parameter
  array list
  compulsory mandatory required
  default preset
  delete discard drop omit remove throwaway getrid rid exclude ignore
  deny forbid reject refuse
  directory folder
  disable off switchoff turnoff turnedoff
  enable on switchon turnon
  end exit finish stop terminate kill
  error exception failure fail throw reject
  execute launch run spawn start
  flag option switch
  hide conceal omit
  image picture
  job promise task
  limit maximum
  line row
  link hyperlink url
  method function
  misspelled typo misspelling
  number integer numeral
  output print
  pending waiting queued
  process program subprocess
  command subcommand
  host hostname machine computer
  password secret sensitive credential
  previous old legacy
  seconds milliseconds minutes duration timeout delay
  unsafe dangerous untrusted`
  .split('\n')
  .map((group) => group.trim().split(' '));

/** The groups that hold a word, by its stem. */
const byStem = new Map<string, Set<string>>();
for (const group of GROUPS) {
  for (const word of group) {
    const others = byStem.get(stemmer(word)) ?? new Set();
    for (const other of group) others.add(other);
    byStem.set(stemmer(word), others);
  }
}

/** Words that may stand in a document for one with this stem, itself among them; none for most. */
export function fieldWords(stem: string): readonly string[] {
  return [...(byStem.get(stem) ?? [])];
}

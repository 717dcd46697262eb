export { fieldWords } from './field-words.ts';
export { type Synonym, Thesaurus } from './thesaurus.ts';

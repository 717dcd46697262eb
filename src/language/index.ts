export { fieldWords } from './field-words.ts';
export { Thesaurus } from './thesaurus.ts';

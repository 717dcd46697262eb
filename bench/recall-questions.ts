/* The set that the extractive reader is tuned on: what it does with these questions was looked at. */
import { direct, paraphrased, type QuestionSet, several, unanswerable } from './recall-set.ts';

/** About 1 MB of documents, most of it beside the point. */
const DOCUMENTS = [
  'execa/readme.md',
  'execa/types/**/*.d.ts',
  'commander/Readme.md',
  'commander/typings/index.d.ts',
  'minisearch/*.md',
  'mammoth/*.md',
  'html-to-text/*.md',
  'picomatch/*.md',
  'smol-toml/README.md',
  'p-limit/readme.md',
  'ignore/README.md',
  '@modelcontextprotocol/sdk/README.md',
  '@modelcontextprotocol/sdk/dist/esm/spec.types.d.ts',
  'body-parser/README.md',
  'express-rate-limit/readme.md',
  'ajv/README.md',
  'fuse.js/README.md',
  'zod/README.md',
  'esbuild/lib/main.d.ts',
  'qs/README.md',
  'debug/README.md',
];

const EXECA = 'execa/types/arguments/options.d.ts';
const COMMANDER = 'commander/Readme.md';
const MINISEARCH = 'minisearch/README.md';
const MAMMOTH = 'mammoth/README.md';
const HTML = 'html-to-text/README.md';
const TOML = 'smol-toml/README.md';
const P_LIMIT = 'p-limit/readme.md';
const IGNORE = 'ignore/README.md';
const MCP = '@modelcontextprotocol/sdk/README.md';
const LIMIT = 'express-rate-limit/readme.md';
const BODY = 'body-parser/README.md';

export const TUNING: QuestionSet = {
  about: 'READMEs and type declarations of npm packages.',
  documents: DOCUMENTS,
  questions: [
    direct('What is the default value of forceKillAfterDelay in execa?', [EXECA, '@default 5000']),
    direct('Which signal does killSignal default to?', [EXECA, "@default 'SIGTERM'"]),
    direct('What is the default of maxBuffer, the largest amount of data allowed?', [
      EXECA,
      '@default 100_000_000',
    ]),
    direct('Which method suppresses the excess arguments check in commander?', [
      COMMANDER,
      'You can suppress the excess arguments check with',
    ]),
    direct('What are the default flags of the version option in commander?', [
      COMMANDER,
      'The default option flags are `-V` and `--version`',
    ]),
    direct('What does isDefault do for a commander subcommand?', [
      COMMANDER,
      'Specifying `isDefault: true` will run the subcommand',
    ]),
    direct('What does parameterLimit in body-parser default to?', [
      BODY,
      'than this value, a 413 will be returned to the client.',
    ]),
    direct('How should an .npmignore file be parsed?', [
      IGNORE,
      'To parse an `.npmignore` file, you should use `minimatch`',
    ]),
    direct('What does smol-toml stringify do with undefined and null values in arrays?', [
      TOML,
      '`undefined` and `null` values in arrays are **rejected**.',
    ]),
    direct(
      'Which parts of a document does mammoth.extractRawText ignore?',
      [MAMMOTH, 'This will ignore all formatting', 'using `mammoth.extractRawText`.\n'],
      [MAMMOTH, 'This will ignore all formatting', 'Extract the raw text of the document.\n'],
    ),
    direct(
      'Is Markdown support in mammoth deprecated?',
      [MAMMOTH, 'Markdown support is deprecated.', '#### Markdown\n\n'],
      [MAMMOTH, 'Markdown support is deprecated.', 'convertToMarkdown(input, options)`\n\n'],
    ),
    direct('How are documents tokenized by MiniSearch by default?', [
      MINISEARCH,
      'By default, documents are tokenized by splitting on Unicode space or punctuation',
    ]),
    direct('Does p-limit clearQueue cancel promises that are already running?', [
      P_LIMIT,
      'Note: This does not cancel promises that are already running.',
    ]),
    direct('What does the noAnchorUrl option of html-to-text ignore?', [
      HTML,
      'Ignore anchor links (where `href=',
    ]),
    direct('What does passOnStoreError do when the store becomes unavailable?', [
      LIMIT,
      '`false`, default) traffic if the store becomes unavailable.',
    ]),
    direct('What is the default HTTP status code after the rate limit is reached?', [
      LIMIT,
      'HTTP status code after limit is reached (default is 429).',
    ]),
    direct('What does the windowsHide option of execa do?', [
      EXECA,
      'On Windows, do not create a new console window.',
    ]),

    paraphrased(
      'How long does execa wait before it kills a process that ignores SIGTERM?',
      [EXECA, '@default 5000'],
      [EXECA, 'forcefully exit it by sending'],
    ),
    paraphrased('How do I make sure that child programs do not outlive mine?', [
      EXECA,
      'Kill the subprocess when the current process exits.',
    ]),
    paraphrased(
      'How do I make a command line flag compulsory?',
      [COMMANDER, 'You may specify a required (mandatory) option using'],
      [COMMANDER, 'Specify a required (mandatory) option using the `Option` method'],
    ),
    paraphrased('Can a switch be turned off on the command line by a negative form of it?', [
      COMMANDER,
      'with a leading `no-` to set the option value to `false`',
    ]),
    paraphrased('How do I give a subcommand a second, shorter name?', [
      COMMANDER,
      'You can add alternative names for a command with `.alias()`.',
    ]),
    paraphrased(
      'Does the full-text search tolerate typos in a query?',
      [MINISEARCH, 'Fuzzy search, in this example, with a max edit distance'],
      [MINISEARCH, 'can get suggestions for misspelled words using fuzzy search'],
      ['fuse.js/README.md', 'typo tolerance, multiple words, and smart ranking'],
      ['fuse.js/README.md', 'handles typos, misspellings, and partial matches out of the box.'],
    ),
    paraphrased(
      'Is it dangerous to convert Word files that strangers upload?',
      [MAMMOTH, 'If, for instance, you allow users to upload source documents,'],
      [MAMMOTH, '* Source documents can contain links with'],
    ),
    paraphrased(
      'What becomes of pictures in a Word file when it is turned into a web page?',
      [MAMMOTH, 'By default, images are converted to `<img>` elements'],
      [MAMMOTH, 'By default, images are included inline in the output HTML.'],
    ),
    paraphrased(
      'Can very big whole numbers be read from TOML without losing precision?',
      [TOML, "To parse integers beyond 53 bits, it's possible to tell the parser"],
      [TOML, 'that it is not able to parse integers beyond 53 bits.'],
      [TOML, 'If you want to only use BigInt for numbers'],
    ),
    paraphrased('How do I drop all hyperlinks when a page is turned into plain text?', [
      HTML,
      'Ignore all links. Only process internal text of anchor tags.',
    ]),
    paraphrased(
      'How do I throw away jobs that have not begun yet?',
      [P_LIMIT, 'Discard pending promises that are waiting to run.'],
      [P_LIMIT, 'Discard pending calls that have not started yet.'],
    ),
    paraphrased('How do I get what a program prints as a list with one entry for each row?', [
      EXECA,
      "as arrays of strings, splitting the subprocess' output into lines.",
    ]),
    paraphrased('How do I avoid an exception when a command fails?', [
      EXECA,
      "resolves the result's promise with the error instead of rejecting it.",
    ]),
    paraphrased('How can I stop a slow program after some seconds?', [
      EXECA,
      'will be terminated if it runs for longer than that amount of milliseconds.',
    ]),
    paraphrased('How can I exclude a file whose name starts with a number sign?', [
      IGNORE,
      'in front of the first hash for patterns that begin with a hash',
    ]),
    paraphrased('For how long will the previous MCP library get patches once its successor is out?', [
      MCP,
      'for at least six months after the v2 release',
    ]),
    paraphrased('How can an MCP server have its users enter secrets safely?', [
      MCP,
      'servers can ask users to complete secure flows in a browser',
    ]),

    several(
      'How do I make an option required, and how do I make an option variadic in commander?',
      [COMMANDER, 'You may specify a required (mandatory) option using'],
      [COMMANDER, 'You may make an option variadic by appending'],
    ),
    several(
      'What do the modes keep, drop and throw of unsafeKeyBehaviour do with unsafe properties?',
      [TOML, '- `keep` (default): preserve potentially unsafe properties'],
      [TOML, '- `drop`: silently drop potentially unsafe properties'],
      [TOML, '- `throw`: reject documents with potentially unsafe properties'],
    ),
    several(
      'How does mammoth wrap bold, italic and strikethrough text by default?',
      [MAMMOTH, 'By default, bold text is wrapped in `<strong>` tags.'],
      [MAMMOTH, 'By default, italic text is wrapped in `<em>` tags.'],
      [MAMMOTH, 'By default, strikethrough text is wrapped in `<s>` tags.'],
    ),
    several(
      'What do windowMs and limit mean in express-rate-limit?',
      [LIMIT, 'How long to remember requests for, in milliseconds.'],
      [LIMIT, 'How many requests to allow.'],
    ),
    several(
      'What are the default tokenizer and the default term processing of MiniSearch?',
      [MINISEARCH, 'By default, documents are tokenized by splitting on Unicode space or punctuation'],
      [MINISEARCH, 'Terms are downcased by default.'],
    ),
    several(
      'When are the hooks preAction and preSubcommand called?',
      [COMMANDER, 'before/after action handler for this command and its nested subcommands'],
      [COMMANDER, 'before parsing direct subcommand'],
    ),
    several(
      'What do the options uid and gid of execa set?',
      [EXECA, 'Sets the [user identifier]'],
      [EXECA, 'Sets the [group identifier]'],
    ),
    several(
      'What are tools, resources and prompts of an MCP server for?',
      [MCP, '**Tools** let LLMs ask your server to take actions'],
      [MCP, '**Resources** expose read-only data'],
      [MCP, '**Prompts** are reusable templates'],
    ),

    unanswerable('Can execa run a command over SSH on a remote machine?'),
    unanswerable('What does a commercial licence of commander cost?'),
    unanswerable('In which year was mammoth first released?'),
    unanswerable('How many documents a second does MiniSearch index?'),
    unanswerable('How many retries does p-limit make when a function fails?'),
    unanswerable('How does execa encrypt the output of a subprocess?'),
    unanswerable('How do I draw a pie chart in the terminal?'),
    unanswerable('Does smol-toml support YAML anchors?'),
    unanswerable('What is the capital of Mongolia?'),
    unanswerable('How do I translate the help text of commander into French?'),
    unanswerable('Which database does p-limit keep its queue in?'),
    unanswerable('Who is the chief executive of the company that maintains body-parser?'),
    // Harder ones: two questions in one that share no words, and questions whose words are all in the documents.
    several(
      'I set up a server: which character set does body-parser assume for json content, and which status code is sent once the rate limit is reached?',
      [BODY, 'Specify the default character set for the json content if the charset is not'],
      [LIMIT, 'HTTP status code after limit is reached (default is 429).'],
    ),
    several(
      'Does smol-toml reject undefined values in arrays, and how many bits can its integers have?',
      [TOML, '- `undefined` and `null` values in arrays are **rejected**.'],
      [TOML, 'that it is not able to parse integers beyond 53 bits.'],
    ),
    several(
      'What happens to traffic if the store becomes unavailable, and how are users identified by the rate limiter?',
      [LIMIT, 'traffic if the store becomes unavailable.'],
      [LIMIT, 'Identify users (defaults to IP address).'],
    ),
    several(
      'After how many chars does html-to-text break a line by default, and is everything converted when no selector matches?',
      [HTML, 'After how many chars a line break should follow.'],
      [HTML, 'Convert the entire document if none of provided selectors match.'],
    ),
    several(
      'How deep does qs parse nested objects by default, and what happens to text that its grammar cannot place?',
      ['qs/README.md', 'By default, when nesting objects **qs** will only parse up to 5 children deep.'],
      [
        'qs/README.md',
        'is currently dropped, so several distinct flat names can resolve to the same **qs** path',
      ],
    ),
    several(
      'In body-parser, what is req.body when nothing was parsed, and to which function is the reviver passed?',
      [BODY, '**Note** As of v2, `req.body` is left `undefined` when no body is parsed (for'],
      [BODY, 'The `reviver` option is passed directly to `JSON.parse` as the second'],
    ),
    unanswerable('How many milliseconds does body-parser wait for the rest of a body?'),
    unanswerable('What is the default limit of the cookie header in body-parser?'),
    unanswerable('In which version of html-to-text was support for PDF input added?'),
    unanswerable('How many levels of subcommands can commander nest at most?'),
    unanswerable('What is the maximum number of keys in a table of smol-toml?'),
    unanswerable('Which regular expression engine does picomatch use on Windows?'),
    unanswerable('Who pays for the servers of the rate limit store?'),
    unanswerable('How do I make execa run a subprocess on another host over SSH?'),
    unanswerable('Which hash function does MiniSearch use for its document identifiers?'),
  ],
};

/* More questions to tune on. They were the first hold-out; since their results were looked at they are none any more. */
import { direct, type Place, paraphrased, type QuestionSet, several, unanswerable } from './recall-set.ts';

const COOKIE = 'cookie/README.md';
const CORS = 'cors/README.md';
const SEND = 'send/README.md';
const SERVE = 'serve-static/README.md';
const MAGIC = 'magic-string/README.md';
const STREAM = 'get-stream/readme.md';
const BENCH = 'tinybench/README.md';
const JITI = 'jiti/README.md';
const UNPDF = 'unpdf/README.md';
const TSCONFIG = 'get-tsconfig/README.md';
const PATH = 'path-to-regexp/Readme.md';
const EXEC = 'tinyexec/README.md';
const SCHEMA = 'zod-to-json-schema/README.md';
const RE2 = 're2js/README.md';
const MAP = 'source-map-js/README.md';
const YAML = 'yaml/dist/options.d.ts';
const CLIENT = 'undici-types/client.d.ts';
const RETRY = 'undici-types/retry-handler.d.ts';

const BOTH_SET =
  '**note** the [cookie storage model specification][rfc-6265-5.3] states that if both `expires` and\n';
const PRECEDENCE = '`maxAge` are set, then `maxAge` takes precedence';

export const SECOND_TUNING: QuestionSet = {
  about: 'READMEs and type declarations of npm packages.',
  documents: [
    COOKIE,
    CORS,
    SEND,
    SERVE,
    MAGIC,
    STREAM,
    BENCH,
    JITI,
    UNPDF,
    TSCONFIG,
    PATH,
    EXEC,
    SCHEMA,
    RE2,
    MAP,
    'yaml/README.md',
    'yaml/dist/**/*.d.ts',
    'undici-types/*.d.ts',
    'express/Readme.md',
    'router/README.md',
    'jszip/CHANGES.md',
    'argparse/README.md',
    'expect-type/README.md',
    'fast-uri/README.md',
    'figures/readme.md',
    'htmlparser2/README.md',
    'ip-address/README.md',
    'jose/README.md',
    'oxc-resolver/README.md',
    'safe-buffer/README.md',
    'safer-buffer/*.md',
    '@xmldom/xmldom/readme.md',
  ],
  questions: [
    direct('What is the default of maxBuffer in get-stream?', [STREAM, 'Default: `Infinity`']),
    direct('What is error.bufferedData set to when a stream errors?', [
      STREAM,
      'Any contents already read from the stream will be set to `error.bufferedData`',
    ]),
    direct('For how many milliseconds does tinybench run a benchmark task by default?', [
      BENCH,
      'time needed for running a benchmark task (milliseconds) @default 500',
    ]),
    direct('Which directory does the fsCache option of jiti use by default?', [
      JITI,
      'jiti uses `node_modules/.cache/jiti` (if exists)',
    ]),
    direct('How much overhead does interopDefault of jiti add per property access?', [
      JITI,
      'which adds ~25-50ns overhead per property access',
    ]),
    direct('What is the default of nativeModules in jiti?', [JITI, "- Default: ['typescript']"]),
    direct('What does mergePages do in extractText?', [
      UNPDF,
      'If `mergePages` is set to `true`, the text of all pages will be merged',
    ]),
    direct('Which package does renderPageAsImage of unpdf require in Node.js?', [
      UNPDF,
      'This package is required to render the PDF page as an image.',
    ]),
    direct('What does the value deny of dotfiles do in send?', [
      SEND,
      "`'deny'` Send a 403 for any request for a dotfile.",
    ]),
    direct('What is the default value of fallthrough in serve-static?', [
      SERVE,
      'The default value is `true`.',
    ]),
    direct('What does the exposedHeaders option of cors configure?', [
      CORS,
      '* `exposedHeaders`: Configures',
    ]),
    direct('What is the default optionsSuccessStatus of cors?', [CORS, '"optionsSuccessStatus": 204']),
    direct('What does the medium priority of a cookie mean?', [
      COOKIE,
      "- `'medium'` will set the `Priority`",
    ]),
    direct(
      'Which takes precedence in a cookie when both are set, expires or maxAge?',
      [COOKIE, PRECEDENCE, `exiting a web browser application.\n\n${BOTH_SET}`],
      [COOKIE, PRECEDENCE, `By default, no maximum age is set.\n\n${BOTH_SET}`],
    ),
    direct('What is the default lineWidth when YAML is stringified?', [YAML, 'Default: `80`']),
    direct('What does maxAliasCount prevent?', [
      YAML,
      'Prevent exponential entity expansion attacks by limiting data aliasing count;',
    ]),
    direct('What is the default keepAliveTimeout of an undici client?', [
      CLIENT,
      'Default: `4e3` milliseconds (4s).',
    ]),
    direct(
      'What is the default of maxRetries in the undici RetryHandler?',
      retryDefault('Maximum number of retries to allow.', '5'),
    ),
    direct('How does indent of magic-string work when prefix is not supplied?', [
      MAGIC,
      'If `prefix` is not supplied, the indentation will be guessed',
    ]),
    direct('Which flag enables lookbehinds in RE2JS?', [
      RE2,
      'You can enable it by passing the `RE2JS.LOOKBEHINDS` flag during compilation',
    ]),
    direct('What do wildcard parameters of path-to-regexp match?', [
      PATH,
      'Wildcard parameters match one or more characters across multiple segments.',
    ]),
    direct('Which signal does kill of tinyexec use by default?', [EXEC, 'use the `SIGTERM` signal.']),
    direct('Which source does originalPositionFor return when it is not available?', [
      MAP,
      'The original source file, or null if this information is not',
    ]),
    direct('What does getTsconfig return if a config file cannot be found?', [
      TSCONFIG,
      'Returns `null` if a config file cannot be found',
    ]),

    paraphrased(
      'Does limiting which web sites may see my answers keep attackers away from my endpoints?',
      [CORS, 'CORS is not access control.'],
      [CORS, "it doesn't block requests"],
      [CORS, 'Your server receives and processes every request.'],
      [CORS, 'The server still responds to all requests.'],
    ),
    paraphrased(
      'How can I stop scripts in a page from getting at a login token?',
      [COOKIE, 'be careful when setting this to `true`, as compliant clients will not allow client-side'],
      [COOKIE, 'Specifies the `boolean` value for the [`HttpOnly`'],
    ),
    paraphrased(
      'How do I make sure that a cookie never travels unencrypted?',
      [COOKIE, 'the server in the future if the browser does not have an HTTPS connection.'],
      [COOKIE, 'Specifies the `boolean` value for the [`Secure`'],
    ),
    paraphrased('What becomes of a cookie without a lifetime when somebody closes Chrome?', [
      COOKIE,
      'By default, no expiration is set, and most clients will consider this a',
    ]),
    paraphrased('Does the send package keep contents around so that the disk is read less often?', [
      SEND,
      'It does _not_ perform internal caching, you should use a reverse proxy cache',
    ]),
    paraphrased(
      'What does a visitor get who asks for a hidden file?',
      [SEND, 'Set how "dotfiles" are treated when encountered.'],
      [SEND, "- `'ignore'` Pretend like the dotfile does not exist and 404."],
      [SERVE, 'Set how "dotfiles" are treated when encountered.'],
      [SERVE, "- `'ignore'` Pretend like the dotfile does not exist and 404"],
    ),
    paraphrased('How can I put fields of my own into the reply when static assets are delivered?', [
      SERVE,
      'Function to set custom headers on response.',
    ]),
    paraphrased('How do I undo a deletion in magic-string?', [
      MAGIC,
      'It can be used to restore previously removed characters and discard unwanted changes.',
    ]),
    paraphrased('How do I join many scripts into a single one with magic-string?', [
      MAGIC,
      'To concatenate several sources, use `MagicString.Bundle`',
    ]),
    paraphrased('How do I find out whether anything was edited with magic-string?', [
      MAGIC,
      'Indicates if the string has been changed.',
    ]),
    paraphrased(
      'What do I get of a download that breaks off half way?',
      [STREAM, 'Any contents already read from the stream will be set to `error.bufferedData`'],
      [STREAM, 'Returns [partially read data](#errors) when the stream errors.'],
    ),
    paraphrased(
      'How do I make get-stream give up on input that is too big?',
      [STREAM, 'Maximum length of the stream. If exceeded,'],
      [STREAM, 'Can set a [maximum stream size](#maxbuffer).'],
    ),
    paraphrased('Does tinybench print anything by itself?', [
      BENCH,
      'Also note that `tinybench` does not log any result by default.',
    ]),
    paraphrased('May two jobs of tinybench carry the same label?', [
      BENCH,
      'Note that the task name should always be unique in an instance',
    ]),
    paraphrased('How can I see in detail what jiti is doing?', [JITI, 'Enable verbose logging.']),
    paraphrased('Where does jiti keep compiled code between two runs?', [
      JITI,
      'jiti uses `node_modules/.cache/jiti` (if exists)',
    ]),
    paraphrased('How could a hostile PDF eat up all memory?', [
      UNPDF,
      '`maxImageSize` is unlimited by default',
    ]),
    paraphrased(
      'How do I find out who wrote a PDF and when?',
      [UNPDF, 'Extracts metadata from a PDF.'],
      [UNPDF, 'use the `getMetadata` method to get the metadata of the PDF file'],
    ),
    paraphrased('How do I let a spawned tool outlive my program with tinyexec?', [
      EXEC,
      '- `persist` - if `true`, the process will continue after the host exits',
    ]),
    paraphrased('How do I hand a password to a command without leaving traces in the terminal?', [
      EXEC,
      'You can pass a string to `stdin`, which is useful for whitespace-sensitive values and for secrets',
    ]),
    paraphrased(
      'Can a nasty pattern from a visitor freeze my web server?',
      [RE2, 'The RE2JS engine provides strict linear-time $O(n)$ safety guarantees against'],
      [RE2, 'If a malicious user inputs a carefully crafted string'],
      [RE2, 'protecting Node.js and browser applications against ReDoS attacks'],
    ),
    paraphrased('Is zod-to-json-schema still looked after?', [
      SCHEMA,
      'this project will no longer be actively maintained.',
    ]),
    paraphrased('How is the yaml library defended against input that blows up when it is loaded?', [
      YAML,
      'Prevent exponential entity expansion attacks by limiting data aliasing count;',
    ]),
    paraphrased('How do I get YAML without breaks in long texts?', [
      YAML,
      'Maximum line width (set to `0` to disable folding).',
    ]),
    paraphrased('How do I get YAML written in alphabetical order?', [
      YAML,
      'When adding to or stringifying a map, sort the entries.',
    ]),
    paraphrased('How long does undici leave an unused connection open?', [
      CLIENT,
      'the timeout, in milliseconds, after which a socket without active requests will time out.',
    ]),
    paraphrased('How long is the pause of undici before its second try?', [
      RETRY,
      'Initial number of milliseconds to wait before retrying for the first time.',
    ]),
    paraphrased(
      'How do I pass over a TypeScript configuration that leaves my source out?',
      [TSCONFIG, "If the file isn't matched, continues searching parent directories."],
      [TSCONFIG, '// Skips tsconfig files where the file is excluded or not included'],
    ),

    several(
      'What are the defaults of warmupTime and warmupIterations in tinybench?',
      [BENCH, 'warmup time (milliseconds) @default 100ms'],
      [BENCH, 'warmup iterations @default 5'],
    ),
    several(
      'What do maxTimeout, minTimeout and timeoutFactor of the undici RetryHandler default to?',
      retryDefault('Max number of milliseconds allow between retries', '30000'),
      retryDefault('Initial number of milliseconds to wait before retrying for the first time.', '500'),
      retryDefault('Factior to multiply the timeout factor between retries.', '2'),
    ),
    several(
      'What do the values allow, deny and ignore of dotfiles do in send?',
      [SEND, "- `'allow'` No special treatment for dotfiles."],
      [SEND, "- `'deny'` Send a 403 for any request for a dotfile."],
      [SEND, "- `'ignore'` Pretend like the dotfile does not exist and 404."],
    ),
    several(
      'What are the default headersTimeout and bodyTimeout of an undici client?',
      [CLIENT, 'the parser will wait to receive the complete HTTP headers'],
      [CLIENT, 'Monitors time between receiving body data.'],
    ),
    several(
      'What do trimStart and trimEnd of magic-string do?',
      [
        MAGIC,
        'Trims content matching `charType` (defaults to `\\s`, i.e. whitespace) from the start. Returns',
      ],
      [MAGIC, 'Trims content matching `charType` (defaults to `\\s`, i.e. whitespace) from the end. Returns'],
    ),
    several(
      'What do the options sensitive and trailing of path-to-regexp mean?',
      [PATH, '- **sensitive** Regexp will be case sensitive.'],
      [PATH, '- **trailing** Allows optional trailing delimiter to match.'],
    ),
    several(
      'What do the values lax and none of sameSite set?',
      [COOKIE, "- `'lax'` will set the `SameSite` attribute to `Lax`"],
      [COOKIE, "- `'none'` will set the `SameSite` attribute to `None`"],
    ),
    several(
      'How do appendLeft and prependRight of magic-string insert content?',
      [MAGIC, 'Appends the specified `content` at the `index` in the original string. If a range _ending_'],
      [MAGIC, 'Same as `s.appendRight(...)`, except that the inserted content will go _before_'],
    ),
    several(
      'What do extractLinks and extractImages of unpdf extract?',
      [UNPDF, 'Extracts all links from a PDF document, including hyperlinks and external URLs.'],
      [UNPDF, 'Extracts images from a specific page of a PDF document'],
    ),
    several(
      'When do the hooks beforeAll and afterEach of a tinybench task run?',
      [BENCH, 'An optional function that is run before iterations of this task begin'],
      [BENCH, 'An optional function that is run after each iteration of this task'],
    ),
    several(
      'What do intAsBigInt and stringKeys of yaml do, and what is the default prefix for anchors?',
      [YAML, 'Whether integers should be parsed into BigInt rather than number values.'],
      [YAML, 'Parse all mapping keys as strings. Treat all non-scalar keys as errors.'],
      [YAML, "Default: `'a'`, resulting in anchors"],
    ),

    unanswerable('Can tinyexec run a command inside a Docker container?'),
    unanswerable('What does a licence of unpdf cost?'),
    unanswerable('In which year was cookie first published?'),
    unanswerable('How do I keep sessions in Redis with cookie?'),
    unanswerable('How many requests a minute does cors allow?'),
    unanswerable('How do I sign a PDF document with unpdf?'),
    unanswerable('Can magic-string translate Python to JavaScript?'),
    unanswerable('How many people work on get-stream?'),
    unanswerable('What is the boiling point of water?'),
    unanswerable('Which font does the logo of path-to-regexp use?'),
    unanswerable('Who won the football world cup in 1998?'),
    unanswerable('How do I encrypt the value of a cookie?'),
    unanswerable('How do I draw a chart of the results of tinybench?'),
    several(
      'Where may a cookie be sent when no domain is set, and what is returned if decoding throws an error?',
      [
        COOKIE,
        'domain is set, and most clients will consider the cookie to apply to only the current domain.',
      ],
      [
        COOKIE,
        '**note** if an error is thrown from this function, the original, non-decoded cookie value will',
      ],
    ),
    several(
      'How long does undici wait for complete HTTP headers, and is pipelining enabled?',
      [CLIENT, 'the parser will wait to receive the complete HTTP headers'],
      [CLIENT, 'Pipelining is disabled by default.'],
    ),
    several(
      'How is the number of maxAge rounded, and when is the Partitioned attribute set?',
      [COOKIE, 'The given number will be converted to an integer by rounding down.'],
      [
        COOKIE,
        'attribute. When truthy, the `Partitioned` attribute is set, otherwise it is not. By default, the',
      ],
    ),
    several(
      'What does append of magic-string return, and what is addSourcemapLocation for?',
      [MAGIC, 'Appends the specified content to the end of the string. Returns `this`.'],
      [
        MAGIC,
        'Adds the specified character index (with respect to the original string) to sourcemap mappings',
      ],
    ),
    several(
      'When is an error thrown because of the content-length header, and which parts of RFC 8305 does undici implement?',
      [CLIENT, "an error is thrown when the request content-length header doesn't match"],
      [CLIENT, 'Enables a family autodetection algorithm that loosely implements section 5 of RFC 8305.'],
    ),
    unanswerable('What is the largest number of cookies that cookie.parse accepts?'),
    unanswerable('How many sockets does an undici client open at most by default?'),
    unanswerable('Which time zone does maxAge use when it is converted to a date?'),
    unanswerable('After how many failed attempts does jiti stop to transpile a file?'),
    unanswerable('How many bytes of memory does tinybench need for each task?'),
    unanswerable('What is the default quality of an image rendered by renderPageAsImage?'),
    unanswerable('Which cipher does undici use for TLS connections by default?'),
    unanswerable('How many characters may the file name of a source map have?'),
    unanswerable('How do I convert a YAML file to XML?'),
  ],
};

/** The `@default` of an option of the retry handler. */
function retryDefault(what: string, value: string): Place {
  return [
    RETRY,
    `@default ${value}\n`,
    `${what}\n     *\n     * @type {number}\n     * @memberof RetryOptions\n     * `,
  ];
}

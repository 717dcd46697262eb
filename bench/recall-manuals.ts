/*
 * The second hold-out: manuals and sources as people ask about them, an HTML manual, a plain-text manual, C sources
 * and a mix of PDF and text. Written before the reader was rewritten, and nothing may be tuned on it: `recall.ts`
 * shows its totals only. The documents come with Node (npm's manual) and with Debian 12: vim-runtime, linux-libc-dev,
 * zlib1g-dev, libtasn1-doc, shared-mime-info and dpkg. What is not there is left out, and the report says so.
 */
import { dirname, resolve } from 'node:path';
import { direct, type QuestionSet, several, unanswerable } from './recall-set.ts';

const NPM: QuestionSet = {
  about: 'The HTML manual of npm.',
  base: resolve(dirname(process.execPath), '../lib/node_modules/npm/docs/output'),
  documents: ['commands/*.html', 'configuring-npm/*.html', 'using-npm/*.html'],
  questions: [
    direct('How long must I wait to publish a package again after I unpublished all of it?', [
      'commands/npm-unpublish.html',
      'you may not publish any new versions of that package until 24 hours have passed',
    ]),
    direct(
      'Which file wins when both package-lock.json and npm-shrinkwrap.json are in the root of a project?',
      [
        'configuring-npm/package-lock-json.html',
        'npm-shrinkwrap.json will take precedence and package-lock.json will be ignored',
      ],
    ),
    direct('What does npm cache verify do?', [
      'commands/npm-cache.html',
      'verify: Verify the contents of the cache folder, garbage collecting',
    ]),
    direct('Which lockfileVersion do npm v9 and above use?', [
      'configuring-npm/package-lock-json.html',
      '3: The lockfile version used by npm v9 and above.',
    ]),
    direct('How does the audit command exit when no vulnerabilities were found?', [
      'commands/npm-audit.html',
      'The command will exit with a 0 exit code if no vulnerabilities were found.',
    ]),
    direct('Where does npm keep the hidden lockfile?', [
      'configuring-npm/package-lock-json.html',
      'uses a "hidden" lockfile present in node_modules/.package-lock.json',
    ]),
    direct('At which URL of a registry are the public signing keys provided?', [
      'commands/npm-audit.html',
      'Public signing keys are provided at registry-host.tld/-/npm/v1/keys',
    ]),
    direct('What happens to an install by scope if the @ symbol is omitted?', [
      'using-npm/scope.html',
      'Note that if the @ symbol is omitted, in either case, npm will instead attempt to install from GitHub',
    ]),
    direct('Which hashes are submitted to the registry during publication?', [
      'commands/npm-publish.html',
      'both a sha1sum and an integrity field with a sha512sum of the tarball will be submitted',
    ]),
    several(
      'What does devOptional mean in package-lock.json, and what does inBundle mean?',
      [
        'configuring-npm/package-lock-json.html',
        'dev, optional, devOptional: If the package is strictly part',
      ],
      [
        'configuring-npm/package-lock-json.html',
        'inBundle: A flag to indicate that the package is a bundled',
      ],
    ),
    several(
      'What does the allow-same-version option of npm version do, and what does setting git-tag-version to false result in?',
      [
        'commands/npm-version.html',
        'Prevents throwing an error when npm version is used to set the new version',
      ],
      [
        'commands/npm-version.html',
        'Tag the commit when using the npm version command. Setting this to false',
      ],
    ),
    several(
      'Does npm remove data from its cache by itself, and can a version that was unpublished be used again?',
      ['commands/npm-cache.html', 'npm will not remove data by itself: the cache will grow'],
      [
        'commands/npm-unpublish.html',
        'Even if you unpublish a package version, that specific name and version combination can never be reused.',
      ],
    ),
    several(
      'What do rm and info of npm cache npx do?',
      ['commands/npm-cache.html', 'rm: Remove given entries or all entries from the npx cache.'],
      ['commands/npm-cache.html', 'info: Get detailed information about given entries in the npx cache.'],
    ),
    unanswerable('How much does a private npm registry cost a month?'),
    unanswerable('Can npm install packages over BitTorrent?'),
    unanswerable('Which database does the npm registry store its packages in?'),
    unanswerable('How do I roll back a deployment to Kubernetes with npm?'),
    unanswerable('Who invented the package-lock format, and at which university?'),
    unanswerable('How many minutes does npm audit wait for the registry before it gives up?'),
    unanswerable('Which signing algorithm replaces ecdsa-sha2-nistp256 in attestations from 2027 on?'),
    unanswerable('What is the maximum number of scopes an organization can own?'),
    unanswerable('Which environment variable moves the hidden lockfile to another directory?'),
    several(
      'I am preparing a release: which option lets a version be set that is the same as the current one, and which command should I consider instead of unpublish?',
      [
        'commands/npm-version.html',
        'Prevents throwing an error when npm version is used to set the new version to the same value',
      ],
      ['commands/npm-unpublish.html', 'Consider using the deprecate command instead'],
    ),
    several(
      'From where are line endings of package-lock.json inferred, and when may the hidden lockfile be relevant?',
      [
        'configuring-npm/package-lock-json.html',
        'it will infer line endings and indentation from package.json',
      ],
      [
        'configuring-npm/package-lock-json.html',
        'the hidden lockfile will only be relevant if it was created as part of the most recent update',
      ],
    ),
  ],
};

const VIM: QuestionSet = {
  about: 'The help of Vim, in plain text.',
  base: '/usr/share/vim/vim90/doc',
  documents: [
    ...'autocmd fold undo spell quickfix tabpage diff sign terminal channel repeat recover remote cmdline print'
      .split(' ')
      .map((name) => `${name}.txt`),
    ...'mbyte tagsrch message windows change motion starting'.split(' ').map((name) => `${name}.txt`),
  ],
  questions: [
    direct('After how many typed characters is the swap file updated?', [
      'recover.txt',
      'The swap file is updated after typing 200 characters or when you have not',
    ]),
    direct('By which first six characters can a Vim swap file be recognized?', [
      'recover.txt',
      'A Vim swap file can be recognized by the first six characters: "b0VIM ".',
    ]),
    direct('What is the default priority for a sign?', [
      'sign.txt',
      'independently of the sign group. The default priority for a sign is 10.',
    ]),
    direct('What must the group name start with to place a sign in a popup window?', [
      'sign.txt',
      'To place a sign in a popup window the group name must start with "PopUp".',
    ]),
    direct('What happens to the undo file when the edited file is encrypted?', [
      'undo.txt',
      'When the file is encrypted, the text in the undo file is also encrypted.',
    ]),
    direct('Does Vim ever delete undo files?', [
      'undo.txt',
      'NOTE: undo files are never deleted by Vim.  You need to delete them yourself.',
    ]),
    direct('How is the foldlevel computed with the indent method?', [
      'fold.txt',
      'The foldlevel is computed from the indent of the line, divided by the',
    ]),
    direct('Which number must a process use to send a message to Vim without first receiving a message?', [
      'channel.txt',
      'message, it must use the number zero:',
    ]),
    direct('What can be typed to forcefully end the job in a terminal window?', [
      'terminal.txt',
      'CTRL-W CTRL-C can be typed to forcefully end the job.  On MS-Windows a',
    ]),
    direct('With which error code does :cquit quit Vim by default?', [
      'quickfix.txt',
      'Quit Vim with error code {N}.  {N} defaults to one.',
    ]),
    several(
      'What does zg do with the word under the cursor, and what does zw do?',
      ['spell.txt', 'Add word under the cursor as a good word to the first'],
      ['spell.txt', 'Like "zg" but mark the word as a wrong (bad) word.'],
    ),
    several(
      'What does :undojoin do, and what does :undolist show?',
      ['undo.txt', ':undoj[oin]\t\tJoin further changes with the previous undo block.'],
      ['undo.txt', ':undol[ist]\t\tList the leafs in the tree of changes.  Example:'],
    ),
    several(
      'How is the writing to the swap file switched off, and what makes diffs local?',
      ['recover.txt', "setting the 'updatecount' option to 0.  The same is done when starting Vim"],
      ['diff.txt', "Diffs are local to the current tab page |tab-page|.  You can't see diffs with"],
    ),
    several(
      "What is the default of 'printfont', and which print character encoding is used on MS-Windows?",
      ['print.txt', "'printfont' 'pfn'\tstring\t(default \"courier\")"],
      ['print.txt', 'platforms.  Code page 1252 print character encoding is used by default on'],
    ),
    unanswerable('How do I play a YouTube video in a Vim window?'),
    unanswerable('What is the largest number of users who can edit one buffer together over the network?'),
    unanswerable('Which licence fee does Vim charge for commercial use?'),
    unanswerable('How does Vim translate a document from German to Spanish?'),
    unanswerable('What is the default blockchain that undo files are stored in?'),
    unanswerable('In which version of Vim was the swap file format changed to compressed pages?'),
    unanswerable('What is the largest size of an undo file in megabytes?'),
    unanswerable('Which hash algorithm is used for the hash of the file contents in an undo file?'),
    unanswerable('How many signs can be placed in one line at most?'),
    several(
      'If my computer crashes, for which files is no swap file used, and what happens to manual folds when I abandon the file?',
      ['recover.txt', 'For read-only files, a swap file is not used.  Unless the file is big, causing'],
      ['fold.txt', 'The manual folds are lost when you abandon the file.  To save the folds use'],
    ),
    several(
      'Where are undo files normally saved, and where is the sign moved when its line is deleted?',
      ['undo.txt', 'Undo files are normally saved in the same directory as the file.  This can be'],
      ['sign.txt', 'When the line on which the sign is placed is deleted, the sign is moved to the'],
    ),
  ],
};

const SOURCES: QuestionSet = {
  about: 'C sources: headers of the Linux kernel and of zlib, with their comments.',
  base: '/usr/include',
  documents: [
    'zlib.h',
    ...'fuse btrfs perf_event videodev2 seccomp landlock io_uring userfaultfd fanotify capability prctl ethtool'
      .split(' ')
      .map((name) => `linux/${name}.h`),
  ],
  questions: [
    direct('What is the default buffer size of gzbuffer?', [
      'zlib.h',
      'size.  The default buffer size is 8192 bytes.  This function must be called',
    ]),
    direct('Which windowBits enables zlib and gzip decoding with automatic header detection?', [
      'zlib.h',
      '32 to windowBits to enable zlib and gzip decoding with automatic header',
    ]),
    direct('What does deflateBound return?', [
      'zlib.h',
      'deflateBound() returns an upper bound on the compressed size after',
    ]),
    direct('What is the deny-by-default list of a Landlock ruleset?', [
      'linux/landlock.h',
      'rule explicitly allow them: it is a deny-by-default list that should',
    ]),
    direct('Which flag creates a userfaultfd that can handle page faults only in user mode?', [
      'linux/userfaultfd.h',
      'Create a userfaultfd that can handle page faults only in user mode.',
    ]),
    direct('What is sent to the faulting process with UFFD_FEATURE_SIGBUS?', [
      'linux/userfaultfd.h',
      'a SIGBUS signal will be sent to the faulting process.',
    ]),
    direct('How many bits may deflatePrime insert at most?', [
      'zlib.h',
      'call after a deflateInit2() or deflateReset().  bits must be less',
    ]),
    direct('Does inflate automatically decode concatenated gzip members?', [
      'zlib.h',
      'below), inflate() will *not* automatically decode concatenated gzip members.',
    ]),
    direct('What is returned when the space for a direct descriptor is full in io_uring?', [
      'linux/io_uring.h',
      'in. The picked direct descriptor will be returned in cqe->res, or -ENFILE',
    ]),
    several(
      'What does UFFD_FEATURE_EXACT_ADDRESS indicate, and what does UFFD_FEATURE_MINOR_HUGETLBFS indicate?',
      ['linux/userfaultfd.h', '* UFFD_FEATURE_EXACT_ADDRESS indicates that the exact address of page'],
      ['linux/userfaultfd.h', '* UFFD_FEATURE_MINOR_HUGETLBFS indicates that minor faults'],
    ),
    several(
      'What does deflateTune fine tune, and what does deflatePending return?',
      ['zlib.h', "Fine tune deflate's internal compression parameters.  This should only be"],
      ['zlib.h', 'deflatePending() returns the number of bytes and bits of output that have'],
    ),
    several(
      'Which operating system value does the default gzip header have, and in which RFC is the zlib format documented?',
      ['zlib.h', 'the time set to zero, and os set to 255, with no extra, name, or comment'],
      ['zlib.h', 'the zlib format, which is a zlib wrapper documented in RFC 1950, wrapped'],
    ),
    several(
      'What does LANDLOCK_ACCESS_FS_READ_DIR allow, and what is IORING_ASYNC_CANCEL_ANY for?',
      ['linux/landlock.h', '%LANDLOCK_ACCESS_FS_READ_DIR: Open a directory or list its content.'],
      ['linux/io_uring.h', '* IORING_ASYNC_CANCEL_ANY\tMatch any request'],
    ),
    unanswerable('How do I read a JPEG picture with zlib?'),
    unanswerable('Which Windows function replaces io_uring on a Microsoft server?'),
    unanswerable('What salary does a kernel maintainer earn?'),
    unanswerable('Which colour does the Landlock logo have?'),
    unanswerable('How does zlib encrypt a stream with a password?'),
    unanswerable('How many threads does deflate start for compression level 9?'),
    unanswerable('Which Landlock access right controls the creation of network sockets over IPv6?'),
    unanswerable('What is the default timeout of a userfaultfd page fault in milliseconds?'),
    unanswerable('Which processor instructions speed up crc32 in this version of zlib?'),
    several(
      'Is zlib thread safe when zalloc and zfree are Z_NULL, and what does gzread do with trailing garbage?',
      ['zlib.h', 'thread safe.  In that case, zlib is thread-safe.  When zalloc and zfree are'],
      ['zlib.h', 'that remaining trailing garbage is ignored (and no error is returned).'],
    ),
    several(
      'Which compression level is Z_DEFAULT_COMPRESSION currently equivalent to, and what must the fd of parent_fd preferably be opened with?',
      ['zlib.h', 'requests a default compromise between speed and compression (currently'],
      ['linux/landlock.h', '@parent_fd: File descriptor, preferably opened with ``O_PATH``,'],
    ),
  ],
};

const MIXED: QuestionSet = {
  about: 'PDF and text: the manual of libtasn1, the MIME-info specification, the specifications of dpkg.',
  base: '/usr/share/doc',
  documents: [
    'libtasn1-doc/libtasn1.pdf',
    'shared-mime-info/shared-mime-info-spec.pdf',
    'dpkg/spec/*.txt',
    'git/README.md',
    'libjs-underscore/index.html',
  ],
  questions: [
    direct('What is the default weight value of a glob element, and the maximum?', [
      'shared-mime-info/shared-mime-info-spec.pdf',
      'attribute which is used when resolving conflicts with other glob matches. The default weight value is',
    ]),
    direct('Which command must an application run after it installed its XML file into packages?', [
      'shared-mime-info/shared-mime-info-spec.pdf',
      'MUST run the update-mime-database command, which is provided by the freedesktop.org shared',
    ]),
    direct('Which file takes precedence over all other files in the same packages directory?', [
      'shared-mime-info/shared-mime-info-spec.pdf',
      'precedence. Any file named Override.xml takes precedence over all other files in the same packages',
    ]),
    direct('Which ASN.1 type is not handled by this version of the parser?', [
      'libtasn1-doc/libtasn1.pdf',
      'This version doesn’t handle the REAL type. It doesn’t support the AUTOMATIC TAGS',
    ]),
    direct('What is the maximum number of characters allowed for an ASN.1 identifier?', [
      'libtasn1-doc/libtasn1.pdf',
      'ASN1_MAX_NAME_SIZE is the maximum number of characters allowed for an ASN.1 iden-',
    ]),
    direct('With which magic string does the treemagic file start?', [
      'shared-mime-info/shared-mime-info-spec.pdf',
      'The file starts with the magic string "MIME-TreeMagic\\0\\n". There is no version number in the file.',
    ]),
    direct('Through which environment variable must the builder notify the rules file?', [
      'dpkg/spec/rootless-builds.txt',
      'the rules file via the "DEB_RULES_REQUIRES_ROOT" environment variable, with',
    ]),
    direct('What does Rules-Requires-Root set to no mean?', [
      'dpkg/spec/rootless-builds.txt',
      '* If "no", then "debian/rules binary" will not require root at all (not even',
    ]),
    direct('In which state does a package go if the postinst triggered run fails?', [
      'dpkg/spec/triggers.txt',
      'If the “postinst triggered” run fails the package goes to',
    ]),
    several(
      'What does asn1Parser read and generate, and what does asn1Coding generate?',
      [
        'libtasn1-doc/libtasn1.pdf',
        'asn1Parser reads a single file with ASN.1 definitions and generates a file with an array to',
      ],
      [
        'libtasn1-doc/libtasn1.pdf',
        'asn1Coding generates a DER encoding from a file with ASN.1 definitions and another one',
      ],
    ),
    several(
      'What do alias elements indicate, and what do sub-class-of elements indicate?',
      [
        'shared-mime-info/shared-mime-info-spec.pdf',
        '• alias elements indicate that the type is also sometimes known by another name, given by the type',
      ],
      [
        'shared-mime-info/shared-mime-info-spec.pdf',
        '• sub-class-of elements indicate that any data of this type is also some other type, given by the type',
      ],
    ),
    several(
      'Do Protected packages have to be installed, and should trigger processing be idempotent?',
      [
        'dpkg/spec/protected-field.txt',
        '* Protected packages should not be required to be installed (i.e. once',
      ],
      ['dpkg/spec/triggers.txt', 'Trigger processing should be idempotent.  The list of triggers being'],
    ),
    several(
      'Which namespace URI does the mime-info document element have, and how are comments written in ASN.1 definitions?',
      [
        'shared-mime-info/shared-mime-info-spec.pdf',
        'namespace URI is http://www.freedesktop.org/standards/shared-mime-info. All elements described in',
      ],
      [
        'libtasn1-doc/libtasn1.pdf',
        'The parser is case sensitive. The comments begin with -- and end either with another --,',
      ],
    ),
    unanswerable('How do I render an ASN.1 structure as a pie chart?'),
    unanswerable('Which MIME type does a hologram have?'),
    unanswerable('How many people attended the conference on dpkg triggers in Helsinki?'),
    unanswerable('What does the insurance of a Debian mirror cover?'),
    unanswerable('How fast does libtasn1 parse a certificate on a Raspberry Pi?'),
    unanswerable('What is the largest integer that the INTEGER type of libtasn1 can hold?'),
    unanswerable('After how many failed runs does dpkg stop to retry a trigger?'),
    unanswerable('Which weight does a magic element have when its file is compressed with zstd?'),
    unanswerable('Who maintains the list of registered MIME types at GNOME?'),
    several(
      'When a package is triggers-awaited, does it satisfy Depends, and in which order will triggers run?',
      ['dpkg/spec/triggers.txt', '‘triggers-awaited’.  Packages in ‘triggers-awaited’ do not satisfy'],
      ['dpkg/spec/triggers.txt', 'It is not defined in what order triggers will run.  dpkg will make'],
    ),
    several(
      'How are the lines of the XMLnamespaces files sorted, and what is the default priority value of treemagic?',
      [
        'shared-mime-info/shared-mime-info-spec.pdf',
        'The lines are sorted (using strcmp in the C locale) and there are no lines with the same namespaceURI',
      ],
      [
        'shared-mime-info/shared-mime-info-spec.pdf',
        'priority attribute for all of the contained rules. The default priority value is 50, and the maximum is',
      ],
    ),
  ],
};

export const MANUALS: readonly QuestionSet[] = [NPM, VIM, SOURCES, MIXED];

import type { ClaimCase } from './claim-set.ts';

/*
 * 300 claims over passages of manuals and licences that claim-set.ts does not use, and of made-up texts. The first claim
 * of each passage is nearly verbatim, the second in other words.
 */

/** Written before the rule about nearly verbatim claims, without which 20/50 were caught and 4/50 refused. Tuned on since. */
export const CLAIM_SET_3: readonly ClaimCase[] = [
  {
    source: 'man/bzip2.1',
    question: 'What happens to existing files?',
    quote:
      'Each compressed file has the same modification date, permissions, and, when possible, ownership as the corresponding original, so that these properties can be correctly restored at decompression time. bzip2 and bunzip2 will by default not overwrite existing files. If you want this to happen, specify the -f flag.',
    supported: [
      'bzip2 and bunzip2 will by default not overwrite existing files.',
      'A compressed file keeps the modification date and permissions of its original.',
    ],
    changed: [
      [0, 'word', 'existing', 'missing'],
      [1, 'word', 'keeps', 'loses'],
    ],
  },
  {
    source: 'man/bzip2.1',
    question: 'What about foreign files?',
    quote:
      'bunzip2 (or bzip2 -d) decompresses all specified files. Files which were not created by bzip2 will be detected and ignored, and a warning issued. bunzip2 will correctly decompress a file which is the concatenation of two or more compressed files.',
    supported: [
      'Files which were not created by bzip2 will be detected and ignored, and a warning issued.',
      'bunzip2 can decompress a file that concatenates two or more compressed files.',
    ],
    changed: [
      [0, 'word', 'ignored', 'decompressed'],
      [1, 'negation', 'can decompress', 'cannot decompress'],
    ],
  },
  {
    source: 'man/dash.1',
    question: 'Which files does a login shell read?',
    quote:
      'When first starting, the shell inspects argument 0, and if it begins with a dash -, the shell is also considered a login shell. A login shell first reads commands from the files /etc/profile and .profile if they exist. If the environment variable ENV is set on entry to an interactive shell, the shell next reads commands from the file named in ENV.',
    supported: [
      'A login shell first reads commands from the files /etc/profile and .profile if they exist.',
      'The shell counts as a login shell when argument 0 begins with a dash.',
    ],
    changed: [
      [0, 'word', 'reads', 'deletes'],
      [1, 'number', '0', '1'],
    ],
  },
  {
    source: 'man/dash.1',
    question: 'What is an interactive shell?',
    quote:
      'If no args are present and if the standard input of the shell is connected to a terminal (or if the -i flag is set), and the -c option is not present, the shell is considered an interactive shell. An interactive shell generally prompts before each command and handles programming and command errors differently.',
    supported: [
      'An interactive shell generally prompts before each command.',
      'Command errors are handled differently by an interactive shell.',
    ],
    changed: [
      [0, 'polar', 'before', 'after'],
      [1, 'word', 'differently', 'identically'],
    ],
  },
  {
    source: 'man/gpg.1',
    question: 'Which commands are allowed?',
    quote:
      'Commands are not distinguished from options except for the fact that only one command is allowed. Generally speaking, irrelevant options are silently ignored, and may not be checked for correctness. gpg may be run with no commands.',
    supported: [
      'Irrelevant options are silently ignored, and may not be checked for correctness.',
      'Running gpg without a command is possible.',
    ],
    changed: [
      [0, 'word', 'silently', 'loudly'],
      [1, 'word', 'possible', 'impossible'],
    ],
  },
  {
    source: 'man/gpg.1',
    question: 'What are the PGP options good for?',
    quote:
      'If you absolutely must override the safe default, or if the preferences on a given key are invalid for some reason, you are far better off using the --pgp6, --pgp7, or --pgp8 options. These options are safe as they do not force any particular algorithms in violation of OpenPGP, but rather reduce the available algorithms to a "PGP-safe" list.',
    supported: [
      'These options are safe as they do not force any particular algorithms in violation of OpenPGP.',
      'The options --pgp6, --pgp7 and --pgp8 reduce the available algorithms to a PGP-safe list.',
    ],
    changed: [
      [0, 'word', 'safe', 'dangerous'],
      [1, 'word', 'reduce', 'extend'],
    ],
  },
  {
    source: 'man/timeout.1',
    question: 'Which exit status does timeout have?',
    quote:
      'Exit status: 124 if COMMAND times out, and --preserve-status is not specified; 125 if the timeout command itself fails; 126 if COMMAND is found but cannot be invoked; 127 if COMMAND cannot be found; 137 if COMMAND (or timeout itself) is sent the KILL (9) signal (128+9).',
    supported: [
      'The exit status is 126 if COMMAND is found but cannot be invoked.',
      'A status of 124 means that COMMAND timed out without --preserve-status.',
    ],
    changed: [
      [0, 'number', '126', '127'],
      [1, 'number', '124', '125'],
    ],
  },
  {
    source: 'man/timeout.1',
    question: 'How long may a timeout be?',
    quote:
      "DURATION is a floating point number with an optional suffix: 's' for seconds (the default), 'm' for minutes, 'h' for hours or 'd' for days. A duration of 0 disables the associated timeout. Some platforms don't currently support timeouts beyond the year 2038.",
    supported: [
      'A duration of 0 disables the associated timeout.',
      'On some platforms timeouts beyond the year 2038 are not supported.',
    ],
    changed: [
      [0, 'polar', 'disables', 'enables'],
      [1, 'number', '2038', '2083'],
    ],
  },
  {
    source: 'man/sort.1',
    question: 'How does the locale matter?',
    quote:
      'The locale specified by the environment affects sort order. Set LC_ALL=C to get the traditional sort order that uses native byte values. If no key is given, use the entire line as the key.',
    supported: [
      'The locale specified by the environment affects sort order.',
      'Without a key the entire line serves as the key.',
    ],
    changed: [
      [0, 'negation', 'affects', 'never affects'],
      [1, 'word', 'entire', 'first'],
    ],
  },
  {
    source: 'man/sort.1',
    question: 'What does sort do with sorted input?',
    quote:
      'merge already sorted files; do not sort. merge at most NMERGE inputs at once; for more use temp files. stabilize sort by disabling last-resort comparison. use DIR for temporaries, not $TMPDIR or /tmp; multiple options specify multiple directories',
    supported: [
      'At most NMERGE inputs are merged at once; for more, temp files are used.',
      'Sort is stabilized by disabling last-resort comparison.',
    ],
    changed: [
      [0, 'polar', 'most', 'least'],
      [1, 'word', 'disabling', 'enabling'],
    ],
  },
  {
    source: 'man/passwd.1',
    question: 'What does --lock do?',
    quote:
      "Lock the password of the named account. This option disables a password by changing it to a value which matches no possible encrypted value (it adds a '!' at the beginning of the password). Note that this does not disable the account. The user may still be able to login using another authentication token (e.g. an SSH key). Users with a locked password are not allowed to change their password.",
    supported: [
      'Users with a locked password are not allowed to change their password.',
      'The account itself is not disabled: a login with another token such as an SSH key may still work.',
    ],
    changed: [
      [0, 'word', 'locked', 'weak'],
      [1, 'negation', 'is not disabled', 'is disabled'],
    ],
  },
  {
    source: 'man/passwd.1',
    question: 'What do --delete and --expire do?',
    quote:
      "Delete a user's password (make it empty). This is a quick way to disable a password for an account. It will set the named account passwordless. Immediately expire an account's password. This in effect can force a user to change their password at the user's next login.",
    supported: [
      "Expiring can force a user to change their password at the user's next login.",
      'Deleting a password makes it empty and sets the account passwordless.',
    ],
    changed: [
      [0, 'word', 'next', 'previous'],
      [1, 'word', 'empty', 'permanent'],
    ],
  },
  {
    source: 'man/flock.1',
    question: 'What kinds of locks are there?',
    quote:
      'Obtain an exclusive lock, sometimes called a write lock. This is the default. Fail rather than wait if the lock cannot be immediately acquired. Obtain a shared lock, sometimes called a read lock. Drop a lock. This is usually not required, since a lock is automatically dropped when the file is closed.',
    supported: [
      'A lock is automatically dropped when the file is closed.',
      'An exclusive lock, also known as a write lock, is what flock takes by default.',
    ],
    changed: [
      [0, 'word', 'closed', 'opened'],
      [1, 'word', 'exclusive', 'shared'],
    ],
  },
  {
    source: 'man/flock.1',
    question: 'Which exit status is used?',
    quote:
      'The exit status given by -E has to be in the range of 0 to 255. When using the command variant, and executing the child worked, then the exit status is that of the child command. flock does not detect deadlock. Some file systems (e. g. NFS and CIFS) have a limited implementation of flock(2) and flock may always fail.',
    supported: [
      'The exit status given by -E has to be in the range of 0 to 255.',
      'Deadlocks are not detected by flock.',
    ],
    changed: [
      [0, 'number', '255', '225'],
      [1, 'negation', 'are not detected', 'are detected'],
    ],
  },
  {
    source: 'man/mount.8',
    question: 'Who may mount?',
    quote:
      'Normally, only the superuser can mount filesystems. However, when fstab contains the user option on a line, anybody can mount the corresponding filesystem. For non-root users mount always reads the fstab configuration.',
    supported: [
      'Normally, only the superuser can mount filesystems.',
      'Anybody can mount a filesystem whose line in fstab has the user option.',
    ],
    changed: [
      [0, 'word', 'mount', 'format'],
      [1, 'negation', 'Anybody', 'Nobody'],
    ],
  },
  {
    source: 'man/mount.8',
    question: 'How should a device be named?',
    quote:
      "The device names of disk partitions are unstable; hardware reconfiguration, and adding or removing a device can cause changes in names. This is the reason why it's strongly recommended to use filesystem or partition identifiers like UUID or LABEL. Note that mount uses UUIDs as strings. The UUIDs from the command line or from fstab(5) are not converted to internal binary representation. The string representation of the UUID should be based on lower case characters.",
    supported: [
      'The device names of disk partitions are unstable.',
      'Identifiers such as UUID or LABEL are strongly recommended over device names.',
    ],
    changed: [
      [0, 'word', 'unstable', 'stable'],
      [1, 'word', 'recommended', 'discouraged'],
    ],
  },
  {
    source: 'man/mount.8',
    question: 'How is a UUID written?',
    quote:
      'Note that mount uses UUIDs as strings. The UUIDs from the command line or from fstab(5) are not converted to internal binary representation. The string representation of the UUID should be based on lower case characters.',
    supported: [
      'The string representation of the UUID should be based on lower case characters.',
      'mount treats UUIDs as strings and does not convert them to a binary representation.',
    ],
    changed: [
      [0, 'word', 'lower', 'upper'],
      [1, 'negation', 'does not convert', 'does convert'],
    ],
  },
  {
    source: 'licenses/LGPL-2.1',
    question: 'What may be charged?',
    quote:
      'You may charge a fee for the physical act of transferring a copy, and you may at your option offer warranty protection in exchange for a fee. You must cause the whole of the work to be licensed at no charge to all third parties under the terms of this License.',
    supported: [
      'You may charge a fee for the physical act of transferring a copy.',
      'The whole of the work must be licensed to all third parties without charge.',
    ],
    changed: [
      [0, 'modal', 'may', 'must'],
      [1, 'word', 'third', 'commercial'],
    ],
  },
  {
    source: 'licenses/LGPL-2.1',
    question: 'What lies outside the scope?',
    quote:
      'Activities other than copying, distribution and modification are not covered by this License; they are outside its scope. The act of running a program using the Library is not restricted, and output from such a program is covered only if its contents constitute a work based on the Library.',
    supported: [
      'The act of running a program using the Library is not restricted.',
      'Only copying, distribution and modification are covered by the License.',
    ],
    changed: [
      [0, 'word', 'running', 'selling'],
      [1, 'word', 'covered', 'forbidden'],
    ],
  },
  {
    source: 'licenses/LGPL-2.1',
    question: 'What is required of a modified work?',
    quote:
      'The modified work must itself be a software library. You must cause the files modified to carry prominent notices stating that you changed the files and the date of any change. If identifiable sections of that work are not derived from the Library, and can be reasonably considered independent and separate works in themselves, then this License, and its terms, do not apply to those sections when you distribute them as separate works.',
    supported: [
      'The modified work must itself be a software library.',
      'The terms do not apply to independent sections that are distributed as separate works.',
    ],
    changed: [
      [0, 'word', 'modified', 'original'],
      [1, 'negation', 'do not apply', 'do apply'],
    ],
  },
  {
    source: 'licenses/Artistic',
    question: 'Which fees may be charged?',
    quote:
      'You may charge a reasonable copying fee for any distribution of this Package. You may charge any fee you choose for support of this Package. You may not charge a fee for this Package itself.',
    supported: [
      'You may charge any fee you choose for support of this Package.',
      'It is not allowed to charge a fee for the Package itself.',
    ],
    changed: [
      [0, 'word', 'support', 'ownership'],
      [1, 'negation', 'is not allowed', 'is allowed'],
    ],
  },
  {
    source: 'licenses/Artistic',
    question: 'What counts as the Standard Version?',
    quote:
      'You may apply bug fixes, portability fixes and other modifications derived from the Public Domain or from the Copyright Holder. A Package modified in such a way shall still be considered the Standard Version. You may otherwise modify your copy of this Package in any way, provided that you insert a prominent notice in each changed file stating how and when you changed that file.',
    supported: [
      'A Package modified in such a way shall still be considered the Standard Version.',
      'Each changed file needs a prominent notice that says how and when it was changed.',
    ],
    changed: [
      [0, 'negation', 'still', 'never'],
      [1, 'word', 'prominent', 'hidden'],
    ],
  },
  {
    source: 'garden/tomatoes.md',
    question: 'How are tomatoes grown?',
    quote:
      'Sow the seeds indoors in March, about 1 cm deep, and keep them at 20 to 24 °C. The seedlings need bright light and should be watered sparingly. After the last frost, usually in the middle of May, plant them outside at a distance of 60 cm. Side shoots are removed every week. The first fruits ripen about 70 days after planting.',
    supported: [
      'The seedlings need bright light and should be watered sparingly.',
      'About 70 days after planting the first fruits are ripe.',
    ],
    changed: [
      [0, 'word', 'sparingly', 'generously'],
      [1, 'number', '70', '60'],
    ],
  },
  {
    source: 'museum/visit.md',
    question: 'When is the museum open?',
    quote:
      'The museum opens at 10 and closes at 18, on Thursdays at 21. It remains closed on Mondays. Children under 6 enter free of charge, students pay 4 euros and adults 9 euros. Large bags have to be left in the cloakroom on level 2. Photography without flash is permitted in the permanent collection and prohibited in special exhibitions.',
    supported: [
      'Photography without flash is permitted in the permanent collection.',
      'Adults pay 9 euros and students 4 euros; large bags stay in the cloakroom.',
    ],
    changed: [
      [0, 'word', 'permitted', 'prohibited'],
      [1, 'number', '9', '6'],
    ],
  },
  {
    source: 'plant/pump.md',
    question: 'How does the pump behave?',
    quote:
      'The circulation pump P-301 starts automatically when the level in tank T-12 rises above 80 % and stops when it sinks below 35 %. During cleaning it must be operated by hand. If the inlet pressure drops below 0.4 bar the controller closes valve V-7 and sounds an alarm. The standby pump takes over within 15 seconds.',
    supported: [
      'The circulation pump P-301 starts automatically when the level in tank T-12 rises above 80 %.',
      'The standby pump takes over in less than 15 seconds, and valve V-7 is closed when the inlet pressure drops.',
    ],
    changed: [
      [0, 'number', '80', '35'],
      [1, 'word', 'closed', 'opened'],
    ],
  },
];

/** First run at 4/50 refused and 41/50 caught; tuned on since. */
export const CLAIM_SET_4: readonly ClaimCase[] = [
  {
    source: 'man/make.1',
    question: 'Which exit status does make have?',
    quote:
      'GNU make exits with a status of zero if all makefiles were successfully parsed and no targets that were built failed. A status of one will be returned if the -q flag was used and make determines that a target needs to be rebuilt. A status of two will be returned if any errors were encountered.',
    supported: [
      'A status of two will be returned if any errors were encountered.',
      'make exits with zero when every makefile was parsed and no built target failed.',
    ],
    changed: [
      [0, 'number', 'two', 'one'],
      [1, 'negation', 'no built target failed', 'a built target failed'],
    ],
  },
  {
    source: 'man/make.1',
    question: 'How does the jobserver work?',
    quote:
      'Whenever any of the make processes needs to run a new task, it reads a byte from the shared pipe. If there are no tokens left, it must wait for a token to be written back to the pipe. Once the task is completed the make process writes a token back to the pipe.',
    supported: [
      'Once the task is completed the make process writes a token back to the pipe.',
      'To start a new task a make process reads a byte from the shared pipe, and waits when no tokens are left.',
    ],
    changed: [
      [0, 'word', 'completed', 'created'],
      [1, 'word', 'waits', 'crashes'],
    ],
  },
  {
    source: 'man/less.1',
    question: 'What does ESC-u do?',
    quote:
      'Turn off highlighting of strings matching the current search pattern. If highlighting is already off because of a previous ESC-u command, turn highlighting back on. Any search command will also turn highlighting back on.',
    supported: [
      'Any search command will also turn highlighting back on.',
      'ESC-u turns off the highlighting of strings that match the current pattern.',
    ],
    changed: [
      [0, 'polar', 'on', 'off'],
      [1, 'word', 'current', 'previous'],
    ],
  },
  {
    source: 'man/less.1',
    question: 'How are lines filtered?',
    quote:
      'Display only lines which match the pattern; lines which do not match the pattern are not displayed. If pattern is empty (if you type & immediately followed by ENTER), any filtering is turned off, and all lines are displayed. Multiple & commands may be entered, in which case only lines which match all of the patterns will be displayed.',
    supported: [
      'If the pattern is empty, any filtering is turned off, and all lines are displayed.',
      'Lines that do not match the pattern are hidden.',
    ],
    changed: [
      [0, 'word', 'empty', 'invalid'],
      [1, 'negation', 'do not match', 'do match'],
    ],
  },
  {
    source: 'man/wget.1',
    question: 'Which timeouts are there?',
    quote:
      'When interacting with the network, Wget can check for timeout and abort the operation if it takes too long. This prevents anomalies like hanging reads and infinite connects. The only timeout enabled by default is a 900-second read timeout. Setting a timeout to 0 disables it altogether. All timeout-related options accept decimal values, as well as subsecond values.',
    supported: [
      'The only timeout enabled by default is a 900-second read timeout.',
      'A timeout is disabled by setting it to 0.',
    ],
    changed: [
      [0, 'word', 'read', 'connect'],
      [1, 'number', '0', '9'],
    ],
  },
  {
    source: 'man/wget.1',
    question: 'What does the read timeout refer to?',
    quote:
      'The "time" of this timeout refers to idle time: if, at any point in the download, no data is received for more than the specified number of seconds, reading fails and the download is restarted. This option does not directly affect the duration of the entire download. Of course, the remote server may choose to terminate the connection sooner than this option requires.',
    supported: [
      'This option does not directly affect the duration of the entire download.',
      'When no data arrives for more than the given number of seconds, the download is restarted.',
    ],
    changed: [
      [0, 'negation', 'does not directly affect', 'does directly affect'],
      [1, 'unit', 'seconds', 'minutes'],
    ],
  },
  {
    source: 'man/wget.1',
    question: 'Which timestamps do files get?',
    quote:
      'By default, when a file is downloaded, its timestamps are set to match those from the remote file. This allows the use of --timestamping on subsequent invocations of wget. When invoked with --spider, Wget will behave as a Web spider, which means that it will not download the pages, just check that they are there.',
    supported: [
      'When a file is downloaded, its timestamps are set to match those from the remote file.',
      'With --spider, Wget does not download pages but only checks that they are there.',
    ],
    changed: [
      [0, 'word', 'remote', 'local'],
      [1, 'name', '--spider', '--mirror'],
    ],
  },
  {
    source: 'man/wget.1',
    question: 'How is the speed limited?',
    quote:
      'Limit the download speed to amount bytes per second. Amount may be expressed in bytes, kilobytes with the k suffix, or megabytes with the m suffix. For example, --limit-rate=20k will limit the retrieval rate to 20KB/s.',
    supported: [
      'The amount may be expressed in bytes, kilobytes with the k suffix, or megabytes with the m suffix.',
      'The download speed is limited to a number of bytes per second.',
    ],
    changed: [
      [0, 'word', 'suffix', 'prefix'],
      [1, 'unit', 'second', 'minute'],
    ],
  },
  {
    source: 'man/ar.1',
    question: 'How are options read from a file?',
    quote:
      'If file does not exist, or cannot be read, then the option will be treated literally, and not removed. Options in file are separated by whitespace. A whitespace character may be included in an option by surrounding the entire option in either single or double quotes. The file may itself contain additional @file options; any such options will be processed recursively.',
    supported: [
      'Options in file are separated by whitespace.',
      'Further @file options in the file are processed recursively.',
    ],
    changed: [
      [0, 'word', 'whitespace', 'commas'],
      [1, 'negation', 'are processed', 'are not processed'],
    ],
  },
  {
    source: 'man/strace.1',
    question: 'Which calls are printed?',
    quote:
      'Trace system calls that returned with an error code. Print only syscalls that returned without an error code. Align return values in a specific column (default column 40). Print raw, undecoded arguments for the specified set of system calls. This option has the effect of causing all arguments to be printed in hexadecimal.',
    supported: [
      'This option has the effect of causing all arguments to be printed in hexadecimal.',
      'Return values are aligned in column 40 by default.',
    ],
    changed: [
      [0, 'word', 'hexadecimal', 'decimal'],
      [1, 'number', '40', '80'],
    ],
  },
  {
    source: 'man/dpkg.1',
    question: 'How are architectures removed?',
    quote:
      'Remove architecture from the list of architectures for which packages can be installed without using --force-architecture. If the architecture is currently in use in the database then the operation will be refused, except if --force-architecture is specified. The architecture dpkg is built for can never be removed from that list.',
    supported: [
      'The architecture dpkg is built for can never be removed from that list.',
      'The operation is refused when the architecture is in use, unless --force-architecture is given.',
    ],
    changed: [
      [0, 'negation', 'never', 'always'],
      [1, 'word', 'refused', 'repeated'],
    ],
  },
  {
    source: 'man/dpkg.1',
    question: 'What does --predep-package return?',
    quote:
      'Print a single package which is the target of one or more relevant pre-dependencies and has itself no unsatisfied pre-dependencies. Returns 0 when a package is printed, 1 when no suitable package is available, and 2 on error.',
    supported: [
      'It returns 0 when a package is printed, 1 when no suitable package is available, and 2 on error.',
      'The printed package has no unsatisfied pre-dependencies itself.',
    ],
    changed: [
      [0, 'number', '2', '3'],
      [1, 'negation', 'has no unsatisfied', 'has unsatisfied'],
    ],
  },
  {
    source: 'man/chmod.1',
    question: 'What about symbolic links?',
    quote:
      'chmod never changes the permissions of symbolic links; the chmod system call cannot change their permissions. This is not a problem since the permissions of symbolic links are never used. However, for each symbolic link listed on the command line, chmod changes the permissions of the pointed-to file. In contrast, chmod ignores symbolic links encountered during recursive directory traversals.',
    supported: [
      'chmod ignores symbolic links encountered during recursive directory traversals.',
      'For a symbolic link on the command line the permissions of the file it points to are changed.',
    ],
    changed: [
      [0, 'word', 'ignores', 'follows'],
      [1, 'negation', 'are changed', 'are not changed'],
    ],
  },
  {
    source: 'man/chmod.1',
    question: 'What is the sticky bit?',
    quote:
      'The restricted deletion flag or sticky bit is a single bit, whose interpretation depends on the file type. For directories, it prevents unprivileged users from removing or renaming a file in the directory unless they own the file or the directory; this is called the restricted deletion flag for the directory, and is commonly found on world-writable directories like /tmp.',
    supported: [
      'It prevents unprivileged users from removing or renaming a file in the directory unless they own the file or the directory.',
      'What the sticky bit means depends on the type of the file.',
    ],
    changed: [
      [0, 'word', 'unprivileged', 'privileged'],
      [1, 'word', 'type', 'size'],
    ],
  },
  {
    source: 'man/date.1',
    question: 'What is a date string?',
    quote:
      'A date string may contain items indicating calendar date, time of day, time zone, day of week, relative time, relative date, and numbers. An empty string indicates the beginning of the day. The date string format is more complex than is easily documented here but is fully described in the info documentation.',
    supported: [
      'An empty string indicates the beginning of the day.',
      'The info documentation describes the format of the date string fully.',
    ],
    changed: [
      [0, 'word', 'beginning', 'end'],
      [1, 'word', 'fully', 'partly'],
    ],
  },
  {
    source: 'licenses/GFDL-1.2',
    question: 'When must covers be used?',
    quote:
      "If you publish printed copies of the Document, numbering more than 100, and the Document's license notice requires Cover Texts, you must enclose the copies in covers that carry, clearly and legibly, all these Cover Texts: Front-Cover Texts on the front cover, and Back-Cover Texts on the back cover. The front cover must present the full title with all words of the title equally prominent and visible. You may add other material on the covers in addition.",
    supported: [
      'The front cover must present the full title with all words of the title equally prominent and visible.',
      'More than 100 printed copies must be enclosed in covers if the license notice requires Cover Texts.',
    ],
    changed: [
      [0, 'polar', 'front', 'back'],
      [1, 'number', '100', '1000'],
    ],
  },
  {
    source: 'licenses/GFDL-1.2',
    question: 'How long must the copy stay accessible?',
    quote:
      'If you use the latter option, you must take reasonably prudent steps, when you begin distribution of Opaque copies in quantity, to ensure that this Transparent copy will remain thus accessible at the stated location until at least one year after the last time you distribute an Opaque copy of that edition to the public. It is requested, but not required, that you contact the authors of the Document well before redistributing any large number of copies.',
    supported: [
      'It is requested, but not required, that you contact the authors of the Document well before redistributing any large number of copies.',
      'The Transparent copy has to remain accessible for at least one year after the last Opaque copy is distributed.',
    ],
    changed: [
      [0, 'word', 'large', 'small'],
      [1, 'polar', 'least', 'most'],
    ],
  },
  {
    source: 'licenses/CC0-1.0',
    question: 'What does the Affirmer waive?',
    quote:
      "To the greatest extent permitted by, but not in contravention of, applicable law, Affirmer hereby overtly, fully, permanently, irrevocably and unconditionally waives, abandons, and surrenders all of Affirmer's Copyright and Related Rights and associated claims and causes of action. Affirmer makes the Waiver for the benefit of each member of the public at large and to the detriment of Affirmer's heirs and successors.",
    supported: [
      'Affirmer makes the Waiver for the benefit of each member of the public at large.',
      "All of the Affirmer's Copyright and Related Rights are permanently waived.",
    ],
    changed: [
      [0, 'word', 'benefit', 'detriment'],
      [1, 'word', 'permanently', 'temporarily'],
    ],
  },
  {
    source: 'kitchen/bread.md',
    question: 'How is the bread baked?',
    quote:
      'Mix 500 g of flour with 350 g of water and let the dough rest for 30 minutes. Knead in 10 g of salt, cover the bowl and leave it in a warm place for three hours. Preheat the oven to 240 °C. Bake the loaf with steam for 15 minutes, then open the door briefly and bake it for another 25 minutes at 210 °C. Do not cut the bread while it is hot.',
    supported: [
      'Bake the loaf with steam for 15 minutes.',
      'The bread should not be cut while hot, and the dough needs 30 minutes of rest after mixing.',
    ],
    changed: [
      [0, 'number', '15', '25'],
      [1, 'negation', 'should not be cut', 'should be cut'],
    ],
  },
  {
    source: 'library/rules.md',
    question: 'What are the rules of lending?',
    quote:
      'Books may be borrowed for four weeks, films for one week. A loan can be renewed twice unless another reader has reserved the item. Reference works must not leave the reading room. For late returns a fee of 50 cents per day is charged. Lost items have to be replaced by the borrower.',
    supported: [
      'A loan can be renewed twice unless another reader has reserved the item.',
      'Reference works have to stay in the reading room; books can be borrowed for four weeks.',
    ],
    changed: [
      [0, 'word', 'twice', 'once'],
      [1, 'number', 'four', 'six'],
    ],
  },
  {
    source: 'library/rules.md',
    question: 'What happens with late and lost items?',
    quote:
      'For late returns a fee of 50 cents per day is charged. Lost items have to be replaced by the borrower. The library accepts no liability for damage to devices. Complaints are handled by Helen Marsh, room 3.12.',
    supported: [
      'Lost items have to be replaced by the borrower.',
      'Helen Marsh in room 3.12 deals with complaints.',
    ],
    changed: [
      [0, 'word', 'borrower', 'library'],
      [1, 'name', 'Marsh', 'Moore'],
    ],
  },
  {
    source: 'bank/terms.md',
    question: 'How is interest calculated?',
    quote:
      'Interest on savings is calculated daily and credited at the end of each quarter. The rate is variable and currently amounts to 1.75 % per year. Customers are informed of a change at least two weeks in advance. Withdrawals above 5,000 euros require a notice of three months. The account may be closed at any time without charge.',
    supported: [
      'Interest on savings is calculated daily and credited at the end of each quarter.',
      'The account can be closed free of charge at any time; the current rate is 1.75 % a year.',
    ],
    changed: [
      [0, 'word', 'daily', 'weekly'],
      [1, 'number', '1.75', '1.57'],
    ],
  },
  {
    source: 'bank/terms.md',
    question: 'When is notice required?',
    quote:
      'Withdrawals above 5,000 euros require a notice of three months. Smaller amounts are paid out immediately. The bank shall not pass on personal data to third parties unless the law demands it. Statements are sent by post once a year and should be checked within 60 days.',
    supported: [
      'Withdrawals above 5,000 euros require a notice of three months.',
      'Personal data are not passed on to third parties unless the law demands it.',
    ],
    changed: [
      [0, 'polar', 'above', 'below'],
      [1, 'negation', 'are not passed', 'are passed'],
    ],
  },
  {
    source: 'weather/station.md',
    question: 'How does the station measure?',
    quote:
      'The station records temperature and humidity every ten minutes and sends the averages to the server once an hour. If the connection is interrupted, up to 2,000 readings are kept in memory and transmitted later. The rain gauge is heated in winter. Sensors should be calibrated every two years. The battery must be replaced when its voltage falls below 3.1 V.',
    supported: [
      'The station records temperature and humidity every ten minutes.',
      'The battery must be changed once its voltage drops below 3.1 V.',
    ],
    changed: [
      [0, 'word', 'humidity', 'pressure'],
      [1, 'modal', 'must', 'may'],
    ],
  },
  {
    source: 'clinic/vaccination.md',
    question: 'Who is vaccinated and how?',
    quote:
      'The vaccine is given in two doses four weeks apart. It is injected into the upper arm. Persons with a fever should be vaccinated later. Mild pain at the injection site is common and usually disappears within two days. The vaccine contains no live viruses and must be stored between 2 and 8 °C.',
    supported: [
      'Mild pain at the injection site is common and usually disappears within two days.',
      'Two doses are given, four weeks apart, and the vaccine holds no live viruses.',
    ],
    changed: [
      [0, 'word', 'common', 'rare'],
      [1, 'negation', 'holds no live', 'holds live'],
    ],
  },
];

/** Of documents that no set above uses; written after the last change of the checker, and run once. */
export const HELD_OUT: readonly ClaimCase[] = [
  {
    source: 'man/bc.1',
    question: 'Which value has a power?',
    quote:
      'The second expression must be an integer. (If the second expression is not an integer, a warning is generated and the expression is truncated to get an integer value.) The scale of the result is scale if the exponent is negative. It should be noted that expr^0 will always return the value of 1.',
    supported: [
      'The scale of the result is scale if the exponent is negative.',
      'If the second expression is no integer, it is truncated and a warning is generated.',
    ],
    changed: [
      [0, 'word', 'negative', 'positive'],
      [1, 'word', 'truncated', 'rejected'],
    ],
  },
  {
    source: 'man/bc.1',
    question: 'Which numbers are there?',
    quote:
      'Since there is only one kind of number, there are no rules for mixing types. Instead, there are rules on the scale of expressions. Every expression has a scale. Legal values of the variable scale are 0 to the maximum number representable by a C integer.',
    supported: [
      'Legal values of the variable scale are 0 to the maximum number representable by a C integer.',
      'There are no rules for mixing types, as there is only one kind of number.',
    ],
    changed: [
      [0, 'word', 'Legal', 'Default'],
      [1, 'negation', 'are no rules', 'are rules'],
    ],
  },
  {
    source: 'man/file.1',
    question: 'How reliable are language tests?',
    quote:
      'The language tests look for particular strings that can appear anywhere in the first few blocks of a file. These tests are less reliable than the previous two groups, so they are performed last. Any file that cannot be identified as having been written in any of the character sets listed above is simply said to be "data".',
    supported: [
      'These tests are less reliable than the previous two groups, so they are performed last.',
      'A file that cannot be identified in any of the character sets is said to be data.',
    ],
    changed: [
      [0, 'polar', 'less', 'more'],
      [1, 'negation', 'cannot be', 'can be'],
    ],
  },
  {
    source: 'man/file.1',
    question: 'Which limits are there?',
    quote:
      'Name, Default, Explanation: bytes 1048576 max number of bytes to read from file; elf_notes 256 max ELF notes processed; elf_phnum 2048 max ELF program sections processed; elf_shnum 32768 max ELF sections processed; encoding 65536 max number of bytes to scan for encoding evaluation; indir 50 recursion limit for indirect magic; regex 8192 length limit for regex searches',
    supported: [
      'At most 256 ELF notes are processed by default.',
      'The length limit for regex searches is 8192.',
    ],
    changed: [
      [0, 'number', '256', '2048'],
      [1, 'number', '8192', '65536'],
    ],
  },
  {
    source: 'man/file.1',
    question: 'How is output flushed?',
    quote:
      'Force stdout to be flushed after checking each file. This is only useful if checking a list of files. It is intended to be used by programs that want filetype output from a pipe. Examines tar files by verifying the checksum of the 512 byte tar header.',
    supported: [
      'Force stdout to be flushed after checking each file.',
      'tar files are examined by verifying the checksum of their 512 byte header.',
    ],
    changed: [
      [0, 'polar', 'after', 'before'],
      [1, 'number', '512', '521'],
    ],
  },
  {
    source: 'man/patch.1',
    question: 'Which time do headers use?',
    quote:
      'Set the modification and access times of patched files from time stamps given in context diff headers. Unless specified in the time stamps, assume that the context diff headers use local time. Use of this option with time stamps that do not include time zones is not recommended, because patches using local time cannot easily be used by people in other time zones.',
    supported: [
      'Unless specified in the time stamps, the context diff headers are assumed to use local time.',
      'The option is not recommended with time stamps that lack time zones.',
    ],
    changed: [
      [0, 'word', 'local', 'universal'],
      [1, 'negation', 'is not recommended', 'is recommended'],
    ],
  },
  {
    source: 'man/patch.1',
    question: 'How are backups named?',
    quote:
      'The method does not affect whether backup files are made; it affects only the names of any backup files that are made. Make numbered backups of files that already have them, and simple backups of the others. If the backup file name is too long, the backup suffix replaces the last character of the file name.',
    supported: [
      'If the backup file name is too long, the backup suffix replaces the last character of the file name.',
      'Only the names of backup files are affected by the method.',
    ],
    changed: [
      [0, 'polar', 'last', 'first'],
      [1, 'word', 'names', 'contents'],
    ],
  },
  {
    source: 'man/patch.1',
    question: 'What about symbolic links?',
    quote:
      'When looking for input files, follow symbolic links. Replaces the symbolic links, instead of modifying the files the symbolic links point to. Git-style patches to symbolic links will no longer apply. This option exists for backwards compatibility with previous versions of patch; its use is discouraged.',
    supported: [
      'This option exists for backwards compatibility with previous versions of patch; its use is discouraged.',
      'The symbolic links are replaced, and not the files they point to.',
    ],
    changed: [
      [0, 'word', 'discouraged', 'encouraged'],
      [1, 'word', 'replaced', 'preserved'],
    ],
  },
  {
    source: 'man/fuser.1',
    question: 'Which processes are killed?',
    quote:
      'Kill processes accessing the file. Unless changed with -SIGNAL, SIGKILL is sent. An fuser process never kills itself, but may kill other fuser processes. The effective user ID of the process executing fuser is set to its real user ID before attempting to kill. Kill only processes which have write access.',
    supported: [
      'An fuser process never kills itself, but may kill other fuser processes.',
      'SIGKILL is sent unless -SIGNAL says otherwise.',
    ],
    changed: [
      [0, 'negation', 'never kills', 'always kills'],
      [1, 'name', 'SIGKILL', 'SIGTERM'],
    ],
  },
  {
    source: 'man/fuser.1',
    question: 'How are comparisons made?',
    quote:
      'This option lets all comparisons be based on the inodes of the specified file(s) and never on the file names even on network based file systems. If the same object is specified several times on the command line, some of those entries may be ignored. Ask the user for confirmation before killing a process.',
    supported: [
      'Ask the user for confirmation before killing a process.',
      'All comparisons are based on inodes and never on file names.',
    ],
    changed: [
      [0, 'word', 'killing', 'starting'],
      [1, 'negation', 'never on', 'also on'],
    ],
  },
  {
    source: 'man/ssh-keygen.1',
    question: 'What does hashing a known_hosts file do?',
    quote:
      "Hash a known_hosts file. This replaces all hostnames and addresses with hashed representations within the specified file; the original content is moved to a file with a .old suffix. These hashes may be used normally by ssh and sshd, but they do not reveal identifying information should the file's contents be disclosed. This option will not modify existing hashed hostnames and is therefore safe to use on files that mix hashed and non-hashed names.",
    supported: [
      'The original content is moved to a file with a .old suffix.',
      'Existing hashed hostnames are not modified, so the option is safe for files with mixed names.',
    ],
    changed: [
      [0, 'word', 'original', 'hashed'],
      [1, 'word', 'safe', 'unsafe'],
    ],
  },
  {
    source: 'man/ssh-keygen.1',
    question: 'Which format do private keys have?',
    quote:
      'By default OpenSSH will write newly-generated private keys in its own format, but when converting public keys for export the default format is RFC4716. Setting a format of PEM when generating or updating a supported private key type will cause the key to be stored in the legacy PEM private key format.',
    supported: [
      'By default OpenSSH will write newly-generated private keys in its own format.',
      'For the export of public keys RFC4716 is the default format.',
    ],
    changed: [
      [0, 'word', 'private', 'public'],
      [1, 'name', 'RFC4716', 'RFC4761'],
    ],
  },
  {
    source: 'licenses/GPL-3',
    question: 'What may be charged?',
    quote:
      'You may charge any price or no price for each copy that you convey, and you may offer support or warranty protection for a fee. Inclusion of a covered work in an aggregate does not cause this License to apply to the other parts of the aggregate.',
    supported: [
      'Inclusion of a covered work in an aggregate does not cause this License to apply to the other parts of the aggregate.',
      'Support or warranty protection may be offered for a fee.',
    ],
    changed: [
      [0, 'word', 'Inclusion', 'Absence'],
      [1, 'modal', 'may', 'must'],
    ],
  },
  {
    source: 'licenses/GPL-3',
    question: 'How long is the offer valid?',
    quote:
      'Convey the object code in, or embodied in, a physical product (including a physical distribution medium), accompanied by a written offer, valid for at least three years and valid for as long as you offer spare parts or customer support for that product model. This alternative is allowed only occasionally and noncommercially, and only if you received the object code with such an offer.',
    supported: [
      'The written offer is valid for at least three years.',
      'The alternative is allowed only occasionally and noncommercially.',
    ],
    changed: [
      [0, 'unit', 'years', 'months'],
      [1, 'word', 'noncommercially', 'commercially'],
    ],
  },
  {
    source: 'licenses/GPL-3',
    question: 'Which notices are required?',
    quote:
      'The work must carry prominent notices stating that you modified it, and giving a relevant date. If the work has interactive user interfaces, each must display Appropriate Legal Notices; however, if the Program has interactive interfaces that do not display Appropriate Legal Notices, your work need not make them do so.',
    supported: [
      'The work must carry prominent notices stating that you modified it, and giving a relevant date.',
      'Each interactive user interface of the work must display Appropriate Legal Notices.',
    ],
    changed: [
      [0, 'word', 'modified', 'bought'],
      [1, 'word', 'display', 'hide'],
    ],
  },
  {
    source: 'sport/pool.md',
    question: 'What are the rules of the pool?',
    quote:
      'The pool is open from 7 to 21 every day except Tuesday. Everyone has to shower before entering the water. Children under 8 may use the large pool only with an adult. Diving is permitted at the deep end and forbidden elsewhere. The water is kept at 27 °C. Lockers take a coin of 2 euros, which is returned.',
    supported: [
      'Everyone has to shower before entering the water.',
      'The water has 27 °C, and a locker takes a coin of 2 euros.',
    ],
    changed: [
      [0, 'word', 'entering', 'leaving'],
      [1, 'number', '27', '21'],
    ],
  },
  {
    source: 'sport/pool.md',
    question: 'Who may use the large pool?',
    quote:
      'Children under 8 may use the large pool only with an adult. Diving is permitted at the deep end and forbidden elsewhere. Lockers take a coin of 2 euros, which is returned.',
    supported: [
      'Children under 8 may use the large pool only with an adult.',
      'Diving is allowed at the deep end.',
    ],
    changed: [
      [0, 'word', 'large', 'small'],
      [1, 'word', 'deep', 'shallow'],
    ],
  },
  {
    source: 'astro/probe.md',
    question: 'How did the probe travel?',
    quote:
      'The probe was launched in October 2011 and reached the asteroid in 2015 after two fly-bys of Earth. Its solar panels deliver 1.4 kW at a distance of 1 AU. The radio link works at 8.4 GHz. Contact was lost for nine days in 2013 because the antenna pointed away from Earth. No instrument was damaged.',
    supported: [
      'Contact was lost for nine days in 2013 because the antenna pointed away from Earth.',
      'The probe reached the asteroid in 2015; its panels deliver 1.4 kW at 1 AU.',
    ],
    changed: [
      [0, 'word', 'antenna', 'camera'],
      [1, 'number', '2015', '2011'],
    ],
  },
  {
    source: 'astro/probe.md',
    question: 'Was anything damaged?',
    quote:
      'Contact was lost for nine days in 2013 because the antenna pointed away from Earth. No instrument was damaged. The mission was extended twice and ended in March 2022, when the fuel was exhausted.',
    supported: [
      'No instrument was damaged.',
      'The mission ended in March 2022 after two extensions because its fuel was exhausted.',
    ],
    changed: [
      [0, 'negation', 'No instrument', 'An instrument'],
      [1, 'word', 'fuel', 'budget'],
    ],
  },
  {
    source: 'farm/hives.md',
    question: 'How are the bees kept?',
    quote:
      'Inspect the hives every seven days from April to July. Feed sugar syrup only in autumn, never while honey is being collected. A colony needs about 15 kg of stores for the winter. Frames with brood must not be cooled. Smoke calms the bees and should be used sparingly. Queens are replaced every two years.',
    supported: [
      'Smoke calms the bees and should be used sparingly.',
      'A colony needs some 15 kg of stores in winter, and brood must not be cooled.',
    ],
    changed: [
      [0, 'word', 'calms', 'excites'],
      [1, 'unit', 'kg', 'g'],
    ],
  },
  {
    source: 'farm/hives.md',
    question: 'When is syrup fed?',
    quote:
      'Inspect the hives every seven days from April to July. Feed sugar syrup only in autumn, never while honey is being collected. Queens are replaced every two years. The smoker must be extinguished after use.',
    supported: [
      'Feed sugar syrup only in autumn, never while honey is being collected.',
      'The hives should be inspected every seven days from April to July.',
    ],
    changed: [
      [0, 'word', 'autumn', 'spring'],
      [1, 'number', 'seven', 'ten'],
    ],
  },
  {
    source: 'it/backup.md',
    question: 'How are backups made?',
    quote:
      'A full backup runs every Sunday at 02:00; on other days only changed blocks are copied. Backups are encrypted before they leave the host and kept for 90 days. Restores are tested once a quarter. The administrator is notified by mail when a job fails twice in a row. Backups of the finance share must not be stored abroad.',
    supported: [
      'Backups are encrypted before they leave the host and kept for 90 days.',
      'When a job fails twice in succession the administrator gets a mail.',
    ],
    changed: [
      [0, 'word', 'encrypted', 'compressed'],
      [1, 'word', 'administrator', 'customer'],
    ],
  },
  {
    source: 'it/backup.md',
    question: 'Where may backups be stored?',
    quote:
      'Restores are tested once a quarter. The administrator is notified by mail when a job fails twice in a row. Backups of the finance share must not be stored abroad. Tapes older than six months should be destroyed by Marlow Shredding.',
    supported: [
      'Backups of the finance share must not be stored abroad.',
      'Marlow Shredding should destroy tapes older than six months.',
    ],
    changed: [
      [0, 'negation', 'must not be', 'must be'],
      [1, 'polar', 'older', 'younger'],
    ],
  },
  {
    source: 'rail/signal.md',
    question: 'What does the signal mean?',
    quote:
      'A flashing yellow light tells the driver to expect a stop at the next signal. Trains shall reduce their speed to 40 km/h before they pass it. If the lamp is dark, the signal is treated as red. Signal faults are reported to the dispatcher immediately. The driver may continue only after a written order.',
    supported: [
      'If the lamp is dark, the signal is treated as red.',
      'Trains must slow down to 40 km/h before passing it.',
    ],
    changed: [
      [0, 'word', 'red', 'green'],
      [1, 'number', '40', '60'],
    ],
  },
  {
    source: 'rail/signal.md',
    question: 'When may the driver continue?',
    quote:
      'If the lamp is dark, the signal is treated as red. Signal faults are reported to the dispatcher immediately. The driver may continue only after a written order. The order is kept for 30 days.',
    supported: [
      'Signal faults are reported to the dispatcher immediately.',
      'Only after a written order may the driver go on.',
    ],
    changed: [
      [0, 'word', 'dispatcher', 'passenger'],
      [1, 'word', 'written', 'spoken'],
    ],
  },
];

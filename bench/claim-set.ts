/*
 * 300 claims over passages of documents that no test uses: manual pages, licences, specifications, documentation, and some
 * made-up passages (handbook, report, medicine, network, contract, news, policy).
 * For each passage two claims that it supports, in other words than its own, and two that it does not: one of the
 * former with one word changed. The checker is tuned on all of them.
 */

export type ClaimFault = 'number' | 'negation' | 'modal' | 'unit' | 'url' | 'name' | 'polar' | 'word';

export interface ClaimCase {
  source: string;
  question: string;
  quote: string;
  supported: readonly [string, string];
  /** Which of the supported claims, what was changed in it, and how. */
  changed: readonly (readonly [claim: 0 | 1, fault: ClaimFault, from: string, to: string])[];
}

export const CLAIM_SET: readonly ClaimCase[] = [
  {
    source: 'man/ssh_config.5',
    question: 'When does ssh disconnect from a silent server?',
    quote:
      'If, for example, ServerAliveInterval (see below) is set to 15 and ServerAliveCountMax is left at the default, if the server becomes unresponsive, ssh will disconnect after approximately 45 seconds.',
    supported: [
      'With ServerAliveInterval at 15 and ServerAliveCountMax at its default, ssh disconnects from an unresponsive server after about 45 seconds.',
      'An unresponsive server is dropped after roughly 45 seconds.',
    ],
    changed: [
      [0, 'number', '45', '54'],
      [1, 'unit', 'seconds', 'minutes'],
    ],
  },
  {
    source: 'man/ssh_config.5',
    question: 'What is the default of ServerAliveInterval?',
    quote:
      'The default is 0, indicating that these messages will not be sent to the server, or 300 if the BatchMode option is set (Debian-specific).',
    supported: [
      'By default no such messages are sent to the server, since the interval is 0.',
      'On Debian the interval is 300 when BatchMode is set.',
    ],
    changed: [
      [0, 'number', '0', '5'],
      [1, 'name', 'BatchMode', 'QuietMode'],
    ],
  },
  {
    source: 'man/ssh_config.5',
    question: 'What does StrictHostKeyChecking do?',
    quote:
      'If this flag is set to yes, ssh(1) will never automatically add host keys to the ~/.ssh/known_hosts file, and refuses to connect to hosts whose host key has changed. This provides maximum protection against man-in-the-middle (MITM) attacks.',
    supported: [
      'With StrictHostKeyChecking set to yes, ssh never adds host keys to ~/.ssh/known_hosts by itself.',
      'It refuses to connect to hosts with a changed host key, which gives maximum protection against MITM attacks.',
    ],
    changed: [
      [0, 'negation', 'never', 'always'],
      [1, 'polar', 'maximum', 'minimum'],
    ],
  },
  {
    source: 'man/bash.1',
    question: 'How many commands does HISTSIZE let bash remember?',
    quote:
      'The number of commands to remember in the command history. If the value is 0, commands are not saved in the history list. Numeric values less than zero result in every command being saved on the history list (there is no limit). The shell sets the default value to 500 after reading any startup files.',
    supported: [
      'HISTSIZE defaults to 500 commands.',
      'With a value of 0 commands are not saved in the history list.',
    ],
    changed: [
      [0, 'number', '500', '5000'],
      [1, 'negation', ' not', ''],
    ],
  },
  {
    source: 'man/bash.1',
    question: 'What is TMOUT for?',
    quote:
      'If set to a value greater than zero, TMOUT is treated as the default timeout for the read builtin. In an interactive shell, the value is interpreted as the number of seconds to wait for a line of input after issuing the primary prompt.',
    supported: [
      'TMOUT is the default timeout of the read builtin when it is greater than zero.',
      'In an interactive shell TMOUT is how many seconds bash waits for a line of input after the primary prompt.',
    ],
    changed: [
      [0, 'name', 'TMOUT', 'TMPDIR'],
      [1, 'unit', 'seconds', 'milliseconds'],
    ],
  },
  {
    source: 'man/git-gc.1',
    question: 'Which loose objects are pruned?',
    quote:
      'Prune loose objects older than date (default is 2 weeks ago, overridable by the config variable gc.pruneExpire). --prune=now prunes loose objects regardless of their age and increases the risk of corruption if another process is writing to the repository concurrently. --prune is on by default.',
    supported: [
      'Loose objects older than 2 weeks are pruned by default; gc.pruneExpire overrides that.',
      'Using --prune=now increases the risk of corruption while another process writes to the repository.',
    ],
    changed: [
      [0, 'unit', 'weeks', 'days'],
      [1, 'polar', 'increases', 'decreases'],
    ],
  },
  {
    source: 'man/git-gc.1',
    question: 'What does --auto do?',
    quote:
      'With this option, git gc checks whether any housekeeping is required; if not, it exits without performing any work.',
    supported: [
      'With --auto, git gc exits without doing any work if no housekeeping is required.',
      'The option makes git gc check whether housekeeping is needed.',
    ],
    changed: [
      [0, 'negation', 'without', 'after'],
      [1, 'negation', 'makes git gc check', 'makes git gc never check'],
    ],
  },
  {
    source: 'man/curl.1',
    question: 'What does --connect-timeout limit?',
    quote:
      "Maximum time in seconds that you allow curl's connection to take. This only limits the connection phase, so if curl connects within the given period it will continue - if not it will exit. Since version 7.32.0, this option accepts decimal values.",
    supported: [
      'The option limits only the connection phase, in seconds.',
      'Decimal values are accepted since version 7.32.0.',
    ],
    changed: [
      [0, 'unit', 'seconds', 'hours'],
      [1, 'number', '7.32.0', '7.23.0'],
    ],
  },
  {
    source: 'man/useradd.8',
    question: 'What does --inactive do?',
    quote:
      'defines the number of days after the password exceeded its maximum age where the user is expected to replace this password. An input of 0 will disable an expired password with no delay. An input of -1 will blank the respective field in the shadow password file.',
    supported: [
      'An input of 0 disables an expired password without delay.',
      'It is the number of days after the maximum age of a password in which the user has to replace it.',
    ],
    changed: [
      [0, 'number', '0', '1'],
      [1, 'unit', 'days', 'weeks'],
    ],
  },
  {
    source: 'licenses/Apache-2.0',
    question: 'What must a redistributor do?',
    quote:
      'You must give any other recipients of the Work or Derivative Works a copy of this License; and You must cause any modified files to carry prominent notices stating that You changed the files',
    supported: [
      'Whoever redistributes the Work must give recipients a copy of the License.',
      'Modified files must carry prominent notices that they were changed.',
    ],
    changed: [
      [0, 'modal', 'must', 'may'],
      [1, 'negation', 'must carry', 'must not carry'],
    ],
  },
  {
    source: 'licenses/Apache-2.0',
    question: 'When does the patent licence end?',
    quote:
      'If You institute patent litigation against any entity alleging that the Work constitutes direct or contributory patent infringement, then any patent licenses granted to You under this License for that Work shall terminate as of the date such litigation is filed.',
    supported: [
      'Patent licenses terminate on the date on which patent litigation over the Work is filed.',
      'All patent licenses granted under this License for the Work shall end when such litigation is filed.',
    ],
    changed: [
      [0, 'negation', 'terminate', 'never terminate'],
      [1, 'modal', 'shall', 'might'],
    ],
  },
  {
    source: 'python/os.walk',
    question: 'Does os.walk follow links?',
    quote:
      "By default, os.walk does not follow symbolic links to subdirectories on systems that support them. In order to get this functionality, set the optional argument 'followlinks' to true.",
    supported: [
      'Symbolic links to subdirectories are not followed by os.walk unless followlinks is true.',
      "Setting 'followlinks' to true makes os.walk follow symbolic links.",
    ],
    changed: [
      [0, 'negation', 'are not followed', 'are followed'],
      [1, 'polar', 'true', 'false'],
    ],
  },
  {
    source: 'python/os.walk',
    question: 'What happens with errors?',
    quote:
      "By default errors from the os.scandir() call are ignored. If optional arg 'onerror' is specified, it should be a function; it will be called with one argument, an OSError instance.",
    supported: [
      'Errors of os.scandir() are ignored by default.',
      "The function given as 'onerror' is called with one argument, an OSError instance.",
    ],
    changed: [
      [0, 'name', 'os.scandir()', 'os.listdir()'],
      [1, 'number', 'one argument', 'two arguments'],
    ],
  },
  {
    source: 'python/asyncio.wait_for',
    question: 'What happens on a timeout?',
    quote:
      'When a timeout occurs, it cancels the task and raises TimeoutError. To avoid the task cancellation, wrap it in shield().',
    supported: [
      'On a timeout the task is cancelled and TimeoutError is raised.',
      'Wrapping the task in shield() avoids its cancellation.',
    ],
    changed: [
      [0, 'name', 'TimeoutError', 'ValueError'],
      [1, 'name', 'shield()', 'gather()'],
    ],
  },
  {
    source: 'python/shutil.copytree',
    question: 'What if the destination exists?',
    quote:
      'If dirs_exist_ok is false (the default) and `dst` already exists, a `FileExistsError` is raised. If `dirs_exist_ok` is true, the copying operation will continue if it encounters existing directories, and files within the `dst` tree will be overwritten by corresponding files from the `src` tree.',
    supported: [
      'By default a FileExistsError is raised when dst already exists.',
      'If dirs_exist_ok is true, files in dst are overwritten by those from src.',
    ],
    changed: [
      [0, 'name', 'FileExistsError', 'PermissionError'],
      [1, 'negation', 'are overwritten', 'are not overwritten'],
    ],
  },
  {
    source: 'python/shutil.disk_usage',
    question: 'What does disk_usage return?',
    quote:
      "Returned value is a named tuple with attributes 'total', 'used' and 'free', which are the amount of total, used and free space, in bytes.",
    supported: [
      "It returns a named tuple with 'total', 'used' and 'free'.",
      'The amounts of space are given in bytes.',
    ],
    changed: [
      [0, 'negation', 'It returns', 'It no longer returns'],
      [1, 'unit', 'bytes', 'megabytes'],
    ],
  },
  {
    source: 'vim/recover.txt',
    question: 'When is the swap file updated?',
    quote:
      'The swap file is updated after typing 200 characters or when you have not typed anything for four seconds. This only happens if the buffer was changed, not when you only moved around.',
    supported: [
      'Vim updates the swap file after 200 typed characters, or after four seconds in which nothing was typed.',
      'Moving around does not update the swap file: the buffer must have been changed.',
    ],
    changed: [
      [0, 'number', 'four', 'forty'],
      [1, 'negation', 'does not update', 'does update'],
    ],
  },
  {
    source: 'vim/recover.txt',
    question: 'How is a swap file recognized?',
    quote:
      'A Vim swap file can be recognized by the first six characters: "b0VIM ". After that comes the version number, e.g., "3.0".',
    supported: [
      'A swap file begins with the six characters "b0VIM ", followed by the version number.',
      'The version number, for example 3.0, comes after the first six characters.',
    ],
    changed: [
      [0, 'number', 'six', 'eight'],
      [1, 'polar', 'after', 'before'],
    ],
  },
  {
    source: 'vim/undo.txt',
    question: 'Are undo files encrypted and deleted?',
    quote:
      'When the file is encrypted, the text in the undo file is also encrypted. The same key and method is used. NOTE: undo files are never deleted by Vim. You need to delete them yourself.',
    supported: [
      'The undo file of an encrypted file is encrypted too, with the same key and method.',
      'Vim never deletes undo files; users have to delete them themselves.',
    ],
    changed: [
      [0, 'negation', 'is encrypted too', 'is not encrypted'],
      [1, 'negation', 'never deletes', 'deletes'],
    ],
  },
  {
    source: 'vim/sign.txt',
    question: 'Which priority does a sign have?',
    quote:
      'When multiple signs are placed on the same line, the attributes of the sign with the highest priority is used independently of the sign group. The default priority for a sign is 10.',
    supported: [
      'A sign has the priority 10 by default.',
      'Of several signs on one line the one with the highest priority is used.',
    ],
    changed: [
      [0, 'number', '10', '100'],
      [1, 'polar', 'highest', 'lowest'],
    ],
  },
  {
    source: 'vim/terminal.txt',
    question: 'How is a job ended?',
    quote:
      'CTRL-W CTRL-C can be typed to forcefully end the job. On MS-Windows a CTRL-Break will also kill the job.',
    supported: ['CTRL-W CTRL-C forcefully ends the job.', 'CTRL-Break kills the job on MS-Windows.'],
    changed: [
      [0, 'name', 'CTRL-C', 'CTRL-D'],
      [1, 'name', 'MS-Windows', 'OpenBSD'],
    ],
  },
  {
    source: 'vim/fold.txt',
    question: 'What happens to manual folds?',
    quote:
      'The manual folds are lost when you abandon the file. To save the folds use the :mkview command. The view can be restored later with :loadview.',
    supported: [
      'Manual folds are lost when the file is abandoned, unless they are saved with :mkview.',
      'A saved view can be restored with :loadview.',
    ],
    changed: [
      [0, 'negation', 'are lost', 'are not lost'],
      [1, 'modal', 'can', 'must'],
    ],
  },
  {
    source: 'zlib.h',
    question: 'How large is the buffer of gzbuffer?',
    quote:
      'The default buffer size is 8192 bytes. This function must be called after gzopen() or gzdopen(), and before any other calls that read or write the file. Three times that size in buffer space is allocated.',
    supported: [
      'gzbuffer uses 8192 bytes by default and must be called before the file is read or written.',
      'Three times the size is allocated as buffer space.',
    ],
    changed: [
      [0, 'modal', 'must', 'need not'],
      [1, 'number', 'Three', 'Nine'],
    ],
  },
  {
    source: 'zlib.h',
    question: 'Is zlib thread safe?',
    quote:
      'zalloc must return Z_NULL if there is not enough memory for the object. If zlib is used in a multi-threaded application, zalloc and zfree must be thread safe. In that case, zlib is thread-safe.',
    supported: [
      'zlib is thread-safe if zalloc and zfree are.',
      'When there is not enough memory, zalloc must return Z_NULL.',
    ],
    changed: [
      [0, 'negation', 'zlib is thread-safe', 'zlib is not thread-safe'],
      [1, 'name', 'Z_NULL', 'Z_BUF_ERROR'],
    ],
  },
  {
    source: 'zlib.h',
    question: 'Which formats does zlib implement?',
    quote:
      'The compressed data format used by default by the in-memory functions is the zlib format, which is a zlib wrapper documented in RFC 1950, wrapped around a deflate stream, which is itself documented in RFC 1951.',
    supported: [
      'The zlib format is documented in RFC 1950.',
      'The deflate stream inside is documented in RFC 1951.',
    ],
    changed: [
      [0, 'number', '1950', '1960'],
      [1, 'number', '1951', '1591'],
    ],
  },
  {
    source: 'zlib.h',
    question: 'Can damaged data crash the library?',
    quote:
      'The library does not install any signal handler. The decoder checks the consistency of the compressed data, so the library should never crash even in the case of corrupted input.',
    supported: [
      'No signal handler is installed by the library.',
      'The library should not crash on corrupted input, because the decoder checks consistency.',
    ],
    changed: [
      [0, 'negation', 'No signal handler', 'A signal handler'],
      [1, 'negation', 'should not crash', 'should crash'],
    ],
  },
  {
    source: 'npm/unpublish.html',
    question: 'When may a package be published again?',
    quote:
      'Even if you unpublish a package version, that specific name and version combination can never be reused. If you unpublish the entire package, you may not publish any new versions of that package until 24 hours have passed.',
    supported: [
      'After unpublishing a whole package you may not publish new versions of it for 24 hours.',
      'A combination of name and version can never be used again.',
    ],
    changed: [
      [0, 'number', '24', '72'],
      [1, 'negation', 'can never be used', 'can be used'],
    ],
  },
  {
    source: 'npm/package-lock-json.html',
    question: 'Which lock file wins?',
    quote:
      'If both package-lock.json and npm-shrinkwrap.json are present in the root of a project, npm-shrinkwrap.json will take precedence and package-lock.json will be ignored.',
    supported: [
      'npm-shrinkwrap.json takes precedence over package-lock.json when both are in the root of a project.',
      'In that case package-lock.json is ignored.',
    ],
    changed: [
      [0, 'negation', 'takes precedence', 'takes no precedence'],
      [1, 'name', 'package-lock.json', 'yarn.lock'],
    ],
  },
  {
    source: 'npm/package-lock-json.html',
    question: 'Which lockfileVersion does npm use?',
    quote:
      '1: The lockfile version used by npm v5 and v6. 2: The lockfile version used by npm v7 and v8. Backwards compatible to v1 lockfiles. 3: The lockfile version used by npm v9 and above. Backwards compatible to npm v7.',
    supported: [
      'npm v9 and above use lockfile version 3.',
      'Version 2 is used by npm v7 and v8, and is compatible with v1 lockfiles.',
    ],
    changed: [
      [0, 'number', 'version 3', 'version 4'],
      [1, 'negation', 'and is compatible', 'and is not compatible'],
    ],
  },
  {
    source: 'npm/audit.html',
    question: 'How does npm audit exit?',
    quote:
      'The command will exit with a 0 exit code if no vulnerabilities were found. By default, the audit command will exit with a non-zero code if any vulnerability is found.',
    supported: [
      'npm audit exits with code 0 if no vulnerabilities were found.',
      'If any vulnerability is found it exits with a non-zero code by default.',
    ],
    changed: [
      [0, 'number', '0', '2'],
      [1, 'negation', 'a non-zero', 'a zero'],
    ],
  },
  {
    source: 'npm/audit.html',
    question: 'Where are the public keys?',
    quote:
      'Public signing keys are provided at https://registry-host.tld/-/npm/v1/keys. keytype: only ecdsa-sha2-nistp256 is currently supported by the npm CLI',
    supported: [
      'The signing keys are at https://registry-host.tld/-/npm/v1/keys.',
      'Only the key type ecdsa-sha2-nistp256 is supported at present.',
    ],
    changed: [
      [0, 'url', 'https://registry-host.tld/-/npm/v1/keys', 'https://registry-host.tld/-/npm/v2/keys'],
      [1, 'name', 'ecdsa-sha2-nistp256', 'ssh-ed25519'],
    ],
  },
  {
    source: 'npm/cache.html',
    question: 'Does npm clean its cache?',
    quote:
      'npm will not remove data by itself: the cache will grow as new packages are installed. For this reason, it should never be necessary to clear the cache for any reason other than reclaiming disk space, thus why clean now requires --force to run.',
    supported: ['npm does not remove data from its cache by itself.', 'Cleaning the cache requires --force.'],
    changed: [
      [0, 'negation', 'does not remove', 'does remove'],
      [1, 'name', '--force', '--yes'],
    ],
  },
  {
    source: 'dpkg/triggers.txt',
    question: 'What if a trigger fails?',
    quote:
      'If the “postinst triggered” run fails the package goes to ‘config-failed’, so that the trigger processing will not be attempted again until explicitly requested.',
    supported: [
      'A failed postinst triggered run puts the package into config-failed.',
      'Trigger processing is not attempted again until it is explicitly requested.',
    ],
    changed: [
      [0, 'name', 'config-failed', 'half-installed'],
      [1, 'negation', 'is not attempted', 'is attempted'],
    ],
  },
  {
    source: 'dpkg/protected-field.txt',
    question: 'What are protected packages?',
    quote:
      'Protected packages should not be trivial to remove (require a force option for example). Protected packages should not be required to be installed. Protected packages must be depended on explicitly.',
    supported: [
      'Protected packages should not be trivial to remove.',
      'Other packages must depend on protected packages explicitly.',
    ],
    changed: [
      [0, 'negation', 'should not be', 'should be'],
      [1, 'modal', 'must', 'might'],
    ],
  },
  {
    source: 'mime/shared-mime-info-spec.pdf',
    question: 'What weight does a glob have?',
    quote:
      'There is also an optional weight attribute which is used when resolving conflicts with other glob matches. The default weight value is 50, and the maximum is 100.',
    supported: [
      'The weight of a glob is 50 by default and 100 at most.',
      'The weight attribute is optional and serves to resolve conflicts with other globs.',
    ],
    changed: [
      [0, 'number', '100', '1000'],
      [1, 'modal', 'optional', 'mandatory'],
    ],
  },
  {
    source: 'mime/shared-mime-info-spec.pdf',
    question: 'What must an application do after it was installed?',
    quote:
      'After installing, uninstalling or modifying this file, the application MUST run the update-mime-database command, which is provided by the freedesktop.org shared database.',
    supported: [
      'An application must run update-mime-database after it installed or modified its file.',
      'The command is provided by the freedesktop.org shared database.',
    ],
    changed: [
      [0, 'polar', 'after', 'before'],
      [1, 'name', 'freedesktop.org', 'kernel.org'],
    ],
  },
  {
    source: 'tasn1/libtasn1.pdf',
    question: 'What can the ASN.1 parser not handle?',
    quote:
      'This version doesn’t handle the REAL type. It doesn’t support the AUTOMATIC TAGS option, and the EXPORT and IMPORT sections, either. The SIZE constraints are allowed, but no check is done on them.',
    supported: [
      'The REAL type is not handled by this version.',
      'SIZE constraints are allowed but not checked.',
    ],
    changed: [
      [0, 'negation', 'is not handled', 'is handled'],
      [1, 'negation', 'allowed but not checked', 'allowed and checked'],
    ],
  },
  {
    source: 'linux/userfaultfd.h',
    question: 'What does UFFD_FEATURE_SIGBUS do?',
    quote:
      'UFFD_FEATURE_SIGBUS feature means no page-fault (UFFD_EVENT_PAGEFAULT) event will be delivered, instead a SIGBUS signal will be sent to the faulting process.',
    supported: [
      'With UFFD_FEATURE_SIGBUS no page-fault event is delivered.',
      'Instead a SIGBUS signal is sent to the process that caused the fault.',
    ],
    changed: [
      [0, 'negation', 'no page-fault event', 'each page-fault event'],
      [1, 'name', 'SIGBUS', 'SIGSEGV'],
    ],
  },
  {
    source: 'linux/io_uring.h',
    question: 'When is -ENFILE returned?',
    quote:
      'io_uring will allocate an available direct descriptor instead of having the application pass one in. The picked direct descriptor will be returned in cqe->res, or -ENFILE if the space is full.',
    supported: [
      'The chosen descriptor is returned in cqe->res.',
      'If the space is full, -ENFILE is returned instead.',
    ],
    changed: [
      [0, 'name', 'cqe->res', 'cqe->flags'],
      [1, 'name', '-ENFILE', '-EINVAL'],
    ],
  },
  {
    source: 'handbook/pressure.md',
    question: 'What may be done with the valve?',
    quote:
      'The relief valve must not be opened while the boiler is above 3 bar. Below 3 bar it may be opened by trained staff only. The inspection takes place every 12 months.',
    supported: [
      'Above 3 bar the relief valve must not be opened.',
      'The boiler is inspected every 12 months.',
    ],
    changed: [
      [0, 'negation', 'must not be opened', 'must be opened'],
      [1, 'unit', 'months', 'years'],
    ],
  },
  {
    source: 'handbook/train.md',
    question: 'How fast may the train go?',
    quote:
      'On the mountain section trains run at no more than 60 km/h. Drivers should sound the horn twice before each tunnel. The Lötschberg tunnel is 14.6 km long.',
    supported: [
      'Trains may run at up to 60 km/h on the mountain section.',
      'The Lötschberg tunnel has a length of 14.6 km.',
    ],
    changed: [
      [0, 'unit', 'km/h', 'mph'],
      [1, 'name', 'Lötschberg', 'Gotthard'],
    ],
  },
  {
    source: 'handbook/train.md',
    question: 'What should drivers do before a tunnel?',
    quote:
      'Drivers should sound the horn twice before each tunnel. Passengers are not allowed in the cab. All doors must be closed before departure.',
    supported: [
      'Before each tunnel drivers should sound the horn twice.',
      'All doors must be closed before departure, and passengers are not allowed in the cab.',
    ],
    changed: [
      [0, 'polar', 'Before', 'After'],
      [1, 'negation', 'are not allowed', 'are allowed'],
    ],
  },
  {
    source: 'report/sales-2024.md',
    question: 'How did sales develop?',
    quote:
      'Revenue rose by 7.5 % to 1,250 million euros in 2024. Headcount fell to 8,400. Maria Keller became chief financial officer on 1 March.',
    supported: [
      'In 2024 revenue rose by 7.5 % to 1.25 billion euros.',
      'Maria Keller became chief financial officer in March.',
    ],
    changed: [
      [0, 'polar', 'rose', 'fell'],
      [1, 'name', 'Keller', 'Kessler'],
    ],
  },
  {
    source: 'report/sales-2024.md',
    question: 'How many people work there?',
    quote:
      'Headcount fell to 8,400. None of the sites was closed. The company expects growth of 2 to 3 % next year and will not pay a special dividend.',
    supported: [
      'There are 8400 employees, and no site was closed.',
      'Growth of 2 to 3 % is expected for next year, without a special dividend.',
    ],
    changed: [
      [0, 'number', '8400', '4800'],
      [1, 'unit', '%', 'euros'],
    ],
  },
  {
    source: 'medicine/leaflet.md',
    question: 'How much may be taken?',
    quote:
      'Adults take 500 mg up to three times a day. Do not exceed 4 g in 24 hours. It must not be taken together with alcohol. It can be taken with or without food.',
    supported: [
      'Adults take 500 mg at most three times a day.',
      'The daily dose must not exceed 4 g, and it may be taken with or without food.',
    ],
    changed: [
      [0, 'unit', 'mg', 'g'],
      [1, 'number', '4', '9'],
    ],
  },
  {
    source: 'medicine/leaflet.md',
    question: 'What about alcohol?',
    quote:
      'It must not be taken together with alcohol. Store below 25 °C. Children under 12 years should not use it. Inform your doctor if you are pregnant.',
    supported: ['Alcohol must not be taken together with it.', 'It is to be stored below 25 °C.'],
    changed: [
      [0, 'negation', 'must not be taken', 'can be taken'],
      [1, 'polar', 'below', 'above'],
    ],
  },
  {
    source: 'network/service.md',
    question: 'How does the service retry?',
    quote:
      'The client retries a failed request up to 3 times with a delay of 250 ms. Requests that return 4xx are never retried. Status is shown at https://status.example.org/api.',
    supported: [
      'A failed request is retried at most 3 times, 250 ms apart.',
      'The status page is https://status.example.org/api.',
    ],
    changed: [
      [0, 'unit', 'ms', 's'],
      [1, 'url', 'https://status.example.org/api', 'https://status.example.com/api'],
    ],
  },
  {
    source: 'network/service.md',
    question: 'Which requests are retried?',
    quote:
      'Requests that return 4xx are never retried. Connections are closed after 30 minutes of silence. At least two replicas must acknowledge a write. Backups are optional.',
    supported: [
      'Requests with a 4xx response are not retried.',
      'At least two replicas have to acknowledge a write.',
    ],
    changed: [
      [0, 'negation', 'are not retried', 'are retried'],
      [1, 'polar', 'At least', 'At most'],
    ],
  },
  {
    source: 'contract/lease.md',
    question: 'When can the lease be ended?',
    quote:
      'Either party may terminate this lease with three months’ notice. The tenant shall not sublet the premises without written consent of the landlord. The deposit amounts to two monthly rents.',
    supported: [
      'Both parties may end the lease with three months’ notice.',
      'Without written consent the tenant must not sublet the premises.',
    ],
    changed: [
      [0, 'number', 'three', 'six'],
      [1, 'negation', 'must not sublet', 'may sublet'],
    ],
  },
  {
    source: 'contract/lease.md',
    question: 'How much is the deposit?',
    quote:
      'The deposit amounts to two monthly rents. It is returned within 30 days after the end of the lease, unless the premises were damaged. Interest is not paid on the deposit.',
    supported: [
      'The deposit is two monthly rents, and no interest is paid on it.',
      'It is returned within 30 days after the lease ends unless there was damage.',
    ],
    changed: [
      [0, 'negation', 'no interest is paid', 'interest is paid'],
      [1, 'unit', 'days', 'months'],
    ],
  },
];

/** Held out at first; looked at, and tuned on, since. */
export const CLAIM_SET_2: readonly ClaimCase[] = [
  {
    source: 'man/tar.1',
    question: 'How are members deleted with --delete?',
    quote:
      'Delete from the archive. The arguments supply names of the archive members to be removed. At least one argument must be given. This option does not operate on compressed archives.',
    supported: [
      'At least one archive member must be named.',
      'The option does not work on compressed archives.',
    ],
    changed: [
      [0, 'polar', 'At least', 'At most'],
      [1, 'negation', 'does not work on', 'works on'],
    ],
  },
  {
    source: 'man/tar.1',
    question: 'What does --keep-newer-files do?',
    quote: "Don't replace existing files that are newer than their archive copies.",
    supported: [
      'Existing files that are newer than their archive copies are not replaced.',
      'tar leaves newer existing files alone and does not replace them.',
    ],
    changed: [
      [0, 'polar', 'newer', 'older'],
      [1, 'negation', 'does not replace', 'does replace'],
    ],
  },
  {
    source: 'man/find.1',
    question: 'What does -maxdepth do?',
    quote:
      'Descend at most levels (a non-negative integer) levels of directories below the starting-points. Using -maxdepth 0 means only apply the tests and actions to the starting-points themselves.',
    supported: [
      'With -maxdepth 0 the tests are applied to the starting-points only.',
      'find descends at most the given number of levels below the starting-points.',
    ],
    changed: [
      [0, 'number', '0', '7'],
      [1, 'polar', 'most', 'least'],
    ],
  },
  {
    source: 'man/find.1',
    question: 'What happens when -delete fails?',
    quote:
      "Delete files or directories; true if removal succeeded. If the removal failed, an error message is issued and find's exit status will be nonzero (when it eventually exits).",
    supported: [
      'If a removal fails, find issues an error message.',
      'The exit status is nonzero after a failed removal.',
    ],
    changed: [
      [0, 'negation', 'issues an', 'issues no'],
      [1, 'negation', 'is nonzero', 'is not nonzero'],
    ],
  },
  {
    source: 'man/find.1',
    question: 'What does -mmin test?',
    quote: "File's data was last modified less than, more than or exactly n minutes ago.",
    supported: [
      '-mmin tests how many minutes ago the data of a file was last modified.',
      'The age is measured in minutes.',
    ],
    changed: [
      [0, 'name', '-mmin', '-ctime'],
      [1, 'unit', 'minutes', 'days'],
    ],
  },
  {
    source: 'man/nice.1',
    question: 'Which niceness values are there?',
    quote:
      'Niceness values range from -20 (most favorable to the process) to 19 (least favorable to the process). add integer N to the niceness (default 10)',
    supported: [
      'Niceness ranges from -20, the most favorable, to 19.',
      'By default 10 is added to the niceness.',
    ],
    changed: [
      [0, 'polar', 'most', 'least'],
      [1, 'number', '10', '11'],
    ],
  },
  {
    source: 'man/ln.1',
    question: 'What kind of links are made?',
    quote:
      'Create hard links by default, symbolic links with --symbolic. By default, each destination (name of new link) should not already exist. When creating hard links, each TARGET must exist. Symbolic links can hold arbitrary text.',
    supported: [
      'Hard links are created by default, and each target must exist.',
      'The destination should not exist already.',
    ],
    changed: [
      [0, 'modal', 'must', 'may'],
      [1, 'negation', 'should not exist', 'should exist'],
    ],
  },
  {
    source: 'man/ln.1',
    question: 'What may symbolic links hold?',
    quote:
      'Symbolic links can hold arbitrary text; if later resolved, a relative link is interpreted in relation to its parent directory.',
    supported: [
      'A symbolic link can hold arbitrary text.',
      'Relative links are interpreted in relation to their parent directory.',
    ],
    changed: [
      [0, 'negation', 'can hold', 'cannot hold'],
      [1, 'negation', 'are interpreted', 'are never interpreted'],
    ],
  },
  {
    source: 'man/useradd.8',
    question: 'When is --skel valid?',
    quote:
      'This option is only valid if the -m (or --create-home) option is specified. If this option is not set, the skeleton directory is defined by the SKEL variable in /etc/default/useradd or, by default, /etc/skel. If possible, the ACLs and extended attributes are copied.',
    supported: [
      'Without the option the skeleton directory comes from SKEL in /etc/default/useradd, or is /etc/skel.',
      'The option is valid only together with -m or --create-home.',
    ],
    changed: [
      [0, 'name', '/etc/skel', '/usr/skel'],
      [1, 'name', '--create-home', '--no-home'],
    ],
  },
  {
    source: 'man/useradd.8',
    question: 'How are supplementary groups separated?',
    quote:
      'A list of supplementary groups which the user is also a member of. Each group is separated from the next by a comma, with no intervening whitespace. The default is for the user to belong only to the initial group.',
    supported: [
      'Groups are separated by commas, without whitespace.',
      'By default a user belongs only to the initial group.',
    ],
    changed: [
      [0, 'negation', 'are separated', 'are not separated'],
      [1, 'negation', 'belongs only', 'no longer belongs'],
    ],
  },
  {
    source: 'man/gzip.1',
    question: 'How far does gzip shrink text?',
    quote:
      'Typically, text such as source code or English is reduced by 60-70%. Compression is generally much better than that achieved by LZW (as used in compress), Huffman coding (as used in pack), or adaptive Huffman coding (compact). Compression is always performed, even if the compressed file is slightly larger than the original.',
    supported: [
      'Text is typically reduced by 60 to 70 %.',
      'gzip always compresses, even if the result is larger than the original.',
    ],
    changed: [
      [0, 'number', '70', '80'],
      [1, 'polar', 'always', 'never'],
    ],
  },
  {
    source: 'man/gzip.1',
    question: 'What is kept by default?',
    quote:
      'By default, gzip keeps the original file name and timestamp in the compressed file. These are used when decompressing the file with the -N option.',
    supported: [
      'gzip keeps the original file name and timestamp by default.',
      'Decompressing with -N uses the stored name and timestamp.',
    ],
    changed: [
      [0, 'negation', 'gzip keeps', 'gzip does not keep'],
      [1, 'name', '-N', '-Q'],
    ],
  },
  {
    source: 'man/gzip.1',
    question: 'Which zip files can gzip uncompress?',
    quote:
      "Files created by zip can be uncompressed by gzip only if they have a single member compressed with the 'deflation' method. To extract zip files with several members, use unzip instead of gunzip.",
    supported: [
      'gzip can uncompress zip files that have a single member.',
      'For several members unzip is to be used instead of gunzip.',
    ],
    changed: [
      [0, 'negation', 'can uncompress', 'cannot uncompress'],
      [1, 'name', 'unzip', 'bunzip2'],
    ],
  },
  {
    source: 'man/xz.1',
    question: 'What if the memory limit is exceeded?',
    quote:
      'If the specified memory usage limit is exceeded when decompressing, xz will display an error and decompressing the file will fail. If the limit is exceeded when compressing, xz will try to scale the settings down so that the limit is no longer exceeded.',
    supported: [
      'Decompressing fails with an error when the memory limit is exceeded.',
      'When compressing, xz tries to scale the settings down.',
    ],
    changed: [
      [0, 'negation', 'fails', 'never fails'],
      [1, 'polar', 'down', 'up'],
    ],
  },
  {
    source: 'man/xz.1',
    question: 'How is padding made?',
    quote:
      'The padding must consist of null bytes and the size of the padding must be a multiple of four bytes. Concatenation and padding are not allowed with .lzma files or raw streams.',
    supported: [
      'The size of the padding must be a multiple of four bytes.',
      'Padding is not allowed in .lzma files.',
    ],
    changed: [
      [0, 'unit', 'bytes', 'bits'],
      [1, 'negation', 'is not allowed', 'is allowed'],
    ],
  },
  {
    source: 'licenses/MPL-2.0',
    question: 'What may a distributor not do?',
    quote:
      "You must inform recipients that the Source Code Form of the Covered Software is governed by the terms of this License, and how they can obtain a copy of this License. You may not attempt to alter or restrict the recipients' rights in the Source Code Form.",
    supported: [
      'Recipients must be informed that the License governs the Source Code Form.',
      'You may not restrict the rights of recipients in the Source Code Form.',
    ],
    changed: [
      [0, 'modal', 'must', 'might'],
      [1, 'negation', 'may not restrict', 'may restrict'],
    ],
  },
  {
    source: 'licenses/MPL-2.0',
    question: 'Does the licence cover trademarks?',
    quote:
      'This License does not grant any rights in the trademarks, service marks, or logos of any Contributor (except as may be necessary to comply with the notice requirements in Section 3.4).',
    supported: [
      'No rights in trademarks or logos are granted by the License.',
      'Section 3.4 contains the notice requirements.',
    ],
    changed: [
      [0, 'negation', 'No rights', 'All rights'],
      [1, 'number', '3.4', '4.3'],
    ],
  },
  {
    source: 'python/random',
    question: 'How does choices pick?',
    quote:
      'Return a k sized list of population elements chosen with replacement. If the relative weights or cumulative weights are not specified, the selections are made with equal probability.',
    supported: [
      'Elements are chosen with replacement.',
      'Without weights the selections are made with equal probability.',
    ],
    changed: [
      [0, 'negation', 'with replacement', 'without replacement'],
      [1, 'negation', 'Without weights', 'With weights'],
    ],
  },
  {
    source: 'python/time',
    question: 'What is monotonic?',
    quote:
      'Monotonic clock, cannot go backward. Delay execution for a given number of seconds. The argument may be a floating point number for subsecond precision.',
    supported: [
      'The monotonic clock cannot go backward.',
      'Execution is delayed for a number of seconds, which may be a floating point number.',
    ],
    changed: [
      [0, 'negation', 'cannot go', 'can go'],
      [1, 'unit', 'seconds', 'minutes'],
    ],
  },
  {
    source: 'man/git-stash.1',
    question: 'What does git stash do?',
    quote:
      'Use git stash when you want to record the current state of the working directory and the index, but want to go back to a clean working directory. The command saves your local modifications away and reverts the working directory to match the HEAD commit.',
    supported: [
      'git stash saves local modifications and reverts the working directory to the HEAD commit.',
      'It records the current state of the working directory and the index.',
    ],
    changed: [
      [0, 'name', 'HEAD', 'MERGE_HEAD'],
      [1, 'negation', 'It records', 'It never records'],
    ],
  },
  {
    source: 'man/git-stash.1',
    question: 'Where is a stash stored?',
    quote:
      'The latest stash you created is stored in refs/stash; older stashes are found in the reflog of this reference. A stash is by default listed as WIP on branchname, but you can give a more descriptive message on the command line when you create one.',
    supported: [
      'The latest stash is stored in refs/stash, older ones are in its reflog.',
      'You can give a more descriptive message when you create a stash.',
    ],
    changed: [
      [0, 'name', 'refs/stash', 'refs/heads/stash'],
      [1, 'modal', 'can', 'must'],
    ],
  },
  {
    source: 'news/harbour.md',
    question: 'What happened to the ferry?',
    quote:
      'The ferry Aurora collided with a pier on Tuesday evening. Nobody was injured. Captain Ingrid Solberg said the engines had failed 200 metres before the pier. Repairs are expected to take three weeks and to cost 1.2 million euros.',
    supported: [
      'The Aurora hit a pier, and nobody was injured.',
      'According to Captain Ingrid Solberg the engines failed 200 metres before the pier.',
    ],
    changed: [
      [0, 'negation', 'nobody was', 'somebody was'],
      [1, 'name', 'Solberg', 'Lindqvist'],
    ],
  },
  {
    source: 'news/harbour.md',
    question: 'How long do repairs take?',
    quote:
      'Repairs are expected to take three weeks and to cost 1.2 million euros. The insurance will cover no more than half of it. Until then passengers can use the bus line 14.',
    supported: [
      'Repairs will take about three weeks and cost 1.2 million euros.',
      'Passengers can use bus line 14 until then.',
    ],
    changed: [
      [0, 'unit', 'weeks', 'months'],
      [1, 'number', '14', '41'],
    ],
  },
  {
    source: 'policy/travel.md',
    question: 'What may be booked?',
    quote:
      'Employees may book business class only on flights longer than 8 hours. Receipts must be handed in within 30 days. Alcohol is not reimbursed. Trips outside the European Union should be announced two weeks ahead.',
    supported: [
      'Business class may be booked on flights of more than 8 hours.',
      'Receipts must be handed in within 30 days, and alcohol is not reimbursed.',
    ],
    changed: [
      [0, 'polar', 'more', 'less'],
      [1, 'negation', 'is not reimbursed', 'is reimbursed'],
    ],
  },
  {
    source: 'policy/travel.md',
    question: 'When should trips be announced?',
    quote:
      'Trips outside the European Union should be announced two weeks ahead. Taxis are paid for only after 22:00. Managers can approve exceptions at https://travel.example.net/exceptions.',
    supported: [
      'Trips outside the European Union should be announced two weeks in advance.',
      'Exceptions can be approved at https://travel.example.net/exceptions.',
    ],
    changed: [
      [0, 'polar', 'outside', 'inside'],
      [1, 'url', 'https://travel.example.net/exceptions', 'https://travel.example.net/receipts'],
    ],
  },
];

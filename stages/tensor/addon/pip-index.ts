import {readFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';

/** Where pip looks for settings, the strongest first (pip's documentation, "Configuration"). */
function settingsFiles(): readonly string[] {
  const {PIP_CONFIG_FILE, XDG_CONFIG_HOME, XDG_CONFIG_DIRS} = process.env;
  const home = homedir();
  return [
    ...(PIP_CONFIG_FILE ? [PIP_CONFIG_FILE] : []),
    join(XDG_CONFIG_HOME ?? join(home, '.config'), 'pip', 'pip.conf'),
    join(home, '.pip', 'pip.conf'),
    ...(XDG_CONFIG_DIRS ?? '/etc/xdg').split(':').map((folder) => join(folder, 'pip', 'pip.conf')),
    '/etc/pip.conf',
  ];
}

function indexIn(file: string): string | undefined {
  try {
    return /^\s*index[-_]url\s*[=:]\s*(\S+)/m.exec(readFileSync(file, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

/** The package index that this machine's user has chosen: PIP_INDEX_URL, else the `index-url` of pip's settings. */
export function chosenIndex(): string | undefined {
  return (
    process.env.PIP_INDEX_URL ??
    settingsFiles()
      .map(indexIn)
      .find((url) => url !== undefined)
  );
}

/** Whether a stream shows lines that are rewritten; a terminal that says it is dumb (an editor's, a log's) shows the movements as text. */
export const movesCursor = ({isTTY}: {readonly isTTY?: boolean}): boolean =>
  isTTY === true && process.env.TERM !== 'dumb';

// Text to take along: one line with a copy button, or a block of code.
import { ActionIcon, CopyButton, Tooltip } from '@mantine/core';
import classes from './copy.module.css';
import { Icon } from './icons.tsx';

interface CopyProps {
  text: string;
  /** What it is, for the button's label: "Copy the link". */
  what: string;
}

/** A button that copies `text`. */
export function Copy({ text, what }: CopyProps) {
  return (
    <CopyButton value={text} timeout={1600}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? 'Copied' : `Copy ${what}`}>
          <ActionIcon variant="subtle" color="gray" aria-label={`Copy ${what}`} onClick={copy}>
            <Icon name={copied ? 'check' : 'copy'} size={16} />
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

/** One line of code with its copy button. */
export function CopyLine({ text, what }: CopyProps) {
  return (
    <div className={classes.line}>
      <code className={classes.text}>{text}</code>
      <Copy text={text} what={what} />
    </div>
  );
}

/** A block of code with its copy button. */
export function CodeBlock({ text, what }: CopyProps) {
  return (
    <div className={classes.block}>
      {/* oxlint-disable-next-line -- a region that scrolls must be reachable by keyboard */}
      <pre className={classes.pre} tabIndex={0} aria-label={what}>
        <code>{text}</code>
      </pre>
      <div className={classes.corner}>
        <Copy text={text} what={what} />
      </div>
    </div>
  );
}

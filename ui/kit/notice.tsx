// A quiet box for what the reader should know before going on.
import type { ReactNode } from 'react';
import { Icon, type IconName } from './icons.tsx';
import classes from './notice.module.css';

interface NoticeProps {
  /** `bad`: it failed. `careful`: it works, but look. `good`: it worked. `plain`: a remark. */
  tone: 'bad' | 'careful' | 'good' | 'plain';
  title?: ReactNode;
  children?: ReactNode;
  onClose?: (() => void) | undefined;
}

const icons: Record<NoticeProps['tone'], IconName> = {
  bad: 'alert',
  careful: 'alert',
  good: 'check',
  plain: 'scroll',
};

/** One notice; failures are announced at once. */
export function Notice({ tone, title, children, onClose }: NoticeProps) {
  return (
    <div className={classes.notice} data-tone={tone} {...(tone === 'bad' && { role: 'alert' })}>
      <span className={classes.icon}>
        <Icon name={icons[tone]} />
      </span>
      <div className={classes.words}>
        {title && <div className={classes.title}>{title}</div>}
        {children}
      </div>
      {onClose && (
        <button type="button" className={classes.close} aria-label="Close" onClick={onClose}>
          <Icon name="close" size={16} />
        </button>
      )}
    </div>
  );
}

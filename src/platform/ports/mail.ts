// Mail: messages to people who are not looking at a page.

export interface MailMessage {
  /** One address. */
  to: string;
  subject: string;
  /** Plain text. */
  text: string;
  /** The same in every try, so that whoever gets it twice shows it once. */
  id: string;
}

/** The mail port. */
export interface Mail {
  /** Whether this installation sends mail. */
  isOn: boolean;
  /** Hands the message to the mail server. Throws `source-failed` when that does not take it. */
  send(message: MailMessage): Promise<void>;
}

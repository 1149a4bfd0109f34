// Mail by the operator's own mail server (SMTP), through nodemailer. The operator names the server, so it may lie inside;
// users choose only who receives.
import { Problem } from '../../base/problems.ts';
import { secondMs } from '../../base/time.ts';
import type { Mail } from '../ports/mail.ts';

export interface SmtpOptions {
  /** `smtp://` (with STARTTLS where the server offers it) or `smtps://`, with name and password where it asks for them. */
  url: string;
  /** Who it comes from: an address, or `Name <address>`. */
  from: string;
}

const timeoutMs = 20 * secondMs;

/** Mail through a server; a connection for each message, for alerts are few. */
export function openSmtpMail({ url, from }: SmtpOptions): Mail {
  return {
    isOn: true,
    send: async ({ to, subject, text, id }) => {
      const { createTransport } = await import('nodemailer'); // The server starts without it.
      const transport = createTransport({
        url,
        connectionTimeout: timeoutMs,
        greetingTimeout: timeoutMs,
        socketTimeout: timeoutMs,
        // Nothing is read from files or addresses, whatever a message says.
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      try {
        await transport.sendMail({
          from,
          // As an object, so that what stands in it is never read as several addresses.
          to: { name: '', address: to },
          subject,
          text,
          messageId: `<${id}@pilvi>`,
          headers: { 'auto-submitted': 'auto-generated' },
        });
      } catch (cause) {
        // What the server says may hold its name and ours: the log has it, whoever wrote the rule has not.
        throw new Problem('source-failed', 'The mail server did not take the message.', { cause });
      } finally {
        transport.close();
      }
    },
  };
}

/** An installation without a mail server. */
export function noMail(): Mail {
  return {
    isOn: false,
    send: () => Promise.reject(new Problem('source-failed', 'This installation sends no mail any more.')),
  };
}

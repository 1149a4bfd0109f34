// Markdown as React elements: headings, paragraphs, lists, tables, quotes, code, emphasis, links to the web. Not the
// whole language, and no HTML at all: what is not understood is shown as text, so nothing can be smuggled in.
import { Fragment, type ReactNode } from 'react';
import classes from './markdown.module.css';

/** The text as elements; headings begin at the second level, below the page's own. */
export function Markdown({ text }: { text: string }) {
  return (
    <div className={classes.text}>
      {blocksOf(text.split(/\r?\n/)).map((block, index) => show(block, index))}
    </div>
  );
}

type Block =
  | { kind: 'heading'; level: number; text: string }
  | { kind: 'paragraph' | 'quote'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'list'; isOrdered: boolean; items: string[] }
  | { kind: 'table'; head: string[]; rows: string[][] }
  | { kind: 'rule' };

const listItem = /^\s*(?:[-*+]|(\d+)[.)])\s+(.*)$/;

function blocksOf(lines: readonly string[]): Block[] {
  const blocks: Block[] = [];
  let at = 0;
  const takeWhile = (test: (line: string) => boolean): string[] => {
    const start = at;
    while (at < lines.length && test(lines[at]!)) at++;
    return lines.slice(start, at);
  };
  while (at < lines.length) {
    const line = lines[at]!;
    const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
    const item = listItem.exec(line);
    if (line.trim() === '') {
      at++;
    } else if (heading) {
      blocks.push({ kind: 'heading', level: heading[1]!.length, text: heading[2]! });
      at++;
    } else if (/^\s*```/.test(line)) {
      at++;
      const code = takeWhile((next) => !/^\s*```/.test(next));
      at++;
      blocks.push({ kind: 'code', text: code.join('\n') });
    } else if (/^\s*(?:-{3,}|\*{3,}|_{3,})\s*$/.test(line)) {
      blocks.push({ kind: 'rule' });
      at++;
    } else if (line.startsWith('>')) {
      const quoted = takeWhile((next) => next.startsWith('>'));
      blocks.push({ kind: 'quote', text: quoted.map((each) => each.replace(/^>\s?/, '')).join(' ') });
    } else if (item) {
      const items = takeWhile((next) => listItem.test(next)).map((each) => listItem.exec(each)![2]!);
      blocks.push({ kind: 'list', isOrdered: item[1] !== undefined, items });
    } else if (line.includes('|') && isTableRule(lines[at + 1])) {
      const rows = takeWhile((next) => next.includes('|')).map(cellsOf);
      blocks.push({ kind: 'table', head: rows[0]!, rows: rows.slice(2) });
    } else {
      const first = at++;
      takeWhile((next) => isParagraph(next));
      blocks.push({ kind: 'paragraph', text: lines.slice(first, at).join(' ') });
    }
  }
  return blocks;
}

function isParagraph(line: string): boolean {
  return line.trim() !== '' && !/^(?:#{1,6}\s|\s*```|>)/.test(line) && !listItem.test(line);
}

function isTableRule(line: string | undefined): boolean {
  return line !== undefined && line.includes('-') && /^[\s|:-]+$/.test(line);
}

/** Cells between bars; `\|` is a bar within a cell. */
function cellsOf(line: string): string[] {
  const inner = line.trim().replace(/^\|/, '').replace(/\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function show(block: Block, key: number): ReactNode {
  switch (block.kind) {
    case 'heading': {
      const Heading = `h${Math.min(6, block.level + 1)}` as 'h2';
      return <Heading key={key}>{inline(block.text)}</Heading>;
    }
    case 'paragraph':
      return <p key={key}>{inline(block.text)}</p>;
    case 'quote':
      return <blockquote key={key}>{inline(block.text)}</blockquote>;
    case 'code':
      return (
        <pre key={key} tabIndex={0}>
          <code>{block.text}</code>
        </pre>
      );
    case 'list': {
      const List = block.isOrdered ? 'ol' : 'ul';
      return (
        <List key={key}>
          {block.items.map((item, index) => (
            <li key={index}>{inline(item)}</li>
          ))}
        </List>
      );
    }
    case 'table':
      return (
        <div
          key={key}
          className={classes.table}
          tabIndex={0}
          role="region"
          aria-label={`Table: ${block.head.join(', ')}`}
        >
          <table>
            <thead>
              <tr>
                {block.head.map((cell, index) => (
                  <th key={index} scope="col">
                    {inline(cell)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {block.rows.map((row, index) => (
                <tr key={index}>
                  {row.map((cell, column) => (
                    <td key={column}>{inline(cell)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      );
    case 'rule':
      return <hr key={key} />;
    default:
      throw block satisfies never;
  }
}

const spans =
  /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)|\\([\\`*_[\]#|<>-])/g;

function inline(text: string): ReactNode {
  const parts: ReactNode[] = [];
  let end = 0;
  for (const match of text.matchAll(spans)) {
    const [whole, code, strong, emphasis, label, address, escaped] = match;
    parts.push(text.slice(end, match.index));
    if (code !== undefined) parts.push(<code>{code}</code>);
    else if (strong !== undefined) parts.push(<strong>{strong}</strong>);
    else if (emphasis !== undefined) parts.push(<em>{emphasis}</em>);
    else if (address !== undefined) {
      parts.push(
        <a href={address} rel="noreferrer noopener" target="_blank">
          {label}
        </a>,
      );
    } else parts.push(escaped);
    end = match.index + whole.length;
  }
  parts.push(text.slice(end));
  return parts.map((part, index) => <Fragment key={index}>{part}</Fragment>);
}

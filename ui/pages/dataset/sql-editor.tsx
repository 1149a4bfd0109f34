// The editor for SQL: CodeMirror in Pilvi's colours, completing the names of tables and columns.
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { PostgreSQL, sql } from '@codemirror/lang-sql';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { Compartment, Prec } from '@codemirror/state';
import { drawSelection, EditorView, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';
import { styleNonce } from '../../app/nonce.ts';

interface SqlEditorProps {
  value: string;
  /** Columns of each table, for completion. */
  tables: Record<string, string[]>;
  onChange: (text: string) => void;
  onRun: (text: string) => void;
}

const look = EditorView.theme({
  '&': { fontSize: '0.875rem', backgroundColor: 'var(--mantine-color-body)', color: 'var(--pilvi-ink)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-content': {
    fontFamily: 'var(--mantine-font-family-monospace)',
    padding: '12px 0',
    minHeight: '132px',
    caretColor: 'var(--pilvi-ink)',
  },
  '.cm-scroller': { maxHeight: '420px' },
  '.cm-gutters': {
    backgroundColor: 'var(--pilvi-shore)',
    color: 'var(--mantine-color-dimmed)',
    border: 'none',
  },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--pilvi-accent) 22%, transparent)',
  },
  '.cm-cursor': { borderLeftColor: 'var(--pilvi-ink)' },
  '.cm-tooltip': {
    backgroundColor: 'var(--mantine-color-body)',
    border: '1px solid var(--pilvi-line)',
    borderRadius: '6px',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected]': {
    backgroundColor: 'var(--pilvi-accent)',
    color: 'var(--mantine-color-body)',
  },
});

const highlighting = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--pilvi-accent)', fontWeight: '600' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--pilvi-good)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--pilvi-bad)' },
  { tag: tags.comment, color: 'var(--mantine-color-dimmed)', fontStyle: 'italic' },
]);

/** A text field for SQL. `value` is read once; later changes come from typing. */
export function SqlEditor({ value, tables, onChange, onRun }: SqlEditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const language = useRef(new Compartment());
  const handlers = useRef({ onChange, onRun });
  handlers.current = { onChange, onRun };
  useEffect(() => {
    if (!place.current) return undefined;
    const run = (editor: EditorView): boolean => {
      handlers.current.onRun(editor.state.doc.toString());
      return true;
    };
    const editor = new EditorView({
      parent: place.current,
      doc: value,
      extensions: [
        Prec.highest(keymap.of([{ key: 'Mod-Enter', run }])),
        ...(styleNonce === undefined ? [] : [EditorView.cspNonce.of(styleNonce)]),
        lineNumbers(),
        history(),
        drawSelection(),
        bracketMatching(),
        closeBrackets(),
        autocompletion({ icons: false }),
        syntaxHighlighting(highlighting),
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
        look,
        language.current.of(sql({ dialect: PostgreSQL })),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': 'SQL' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) handlers.current.onChange(update.state.doc.toString());
        }),
      ],
    });
    view.current = editor;
    return () => editor.destroy();
    // The editor keeps its own text; it is made once.
  }, []);
  const schema = JSON.stringify(tables);
  useEffect(() => {
    const known = JSON.parse(schema) as Record<string, string[]>;
    view.current?.dispatch({
      effects: language.current.reconfigure(
        sql({ dialect: PostgreSQL, schema: known, upperCaseKeywords: true }),
      ),
    });
  }, [schema]);
  return <div ref={place} />;
}

"""How the page looks: colours, spacing, the few rules that Quasar does not bring. Holds no text of a user."""

from __future__ import annotations

CSS = """
:root {
  --sl-bg: #f6f7f9; --sl-card: #ffffff; --sl-line: #e3e6eb; --sl-text: #1b2430; --sl-soft: #5d6878;
  --sl-accent: #1f5fbf; --sl-accent-soft: #e8f0fc; --sl-good: #1d7a4c; --sl-warn: #8a5a00; --sl-warn-soft: #fff6e0;
  --sl-bad: #b3261e; --sl-bad-soft: #fdeeed;
}
.body--dark {
  --sl-bg: #11161d; --sl-card: #182029; --sl-line: #2a3542; --sl-text: #e6ebf2; --sl-soft: #9aa8ba;
  --sl-accent: #8ab4f8; --sl-accent-soft: #1d2c44; --sl-good: #6fcf9c; --sl-warn: #f1c36a; --sl-warn-soft: #2f2612;
  --sl-bad: #f2938c; --sl-bad-soft: #331b1a;
}
body { --q-primary: #1f5fbf !important; } body.body--dark { --q-primary: #4b83d8 !important; }
body, .body--dark { background: var(--sl-bg) !important; color: var(--sl-text);
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
.nicegui-content { padding: 0 !important; }
.sl-header { background: var(--sl-card) !important; color: var(--sl-text) !important; border-bottom: 1px solid var(--sl-line);
  box-shadow: none !important; height: 56px; padding: 0 12px !important; flex-wrap: nowrap !important; }
.sl-drawer { background: var(--sl-card) !important; border-right: 1px solid var(--sl-line); padding: 8px 12px !important; }
.sl-word { font-weight: 650; font-size: 17px; letter-spacing: -.01em; white-space: nowrap; }
.sl-soft { color: var(--sl-soft); }
.sl-small { font-size: 12.5px; line-height: 1.45; }
.sl-main { width: 100%; max-width: 1040px; margin: 0 auto; padding: 28px 20px 64px; gap: 16px; }
.sl-title { font-size: 26px; font-weight: 650; letter-spacing: -.02em; line-height: 1.2; }
.sl-card { background: var(--sl-card); border: 1px solid var(--sl-line); border-radius: 12px; padding: 16px 18px; width: 100%;
  gap: 10px; box-shadow: none; min-width: 0; }
.sl-ask { padding: 6px 6px 6px 16px; flex-wrap: nowrap; align-items: center; gap: 8px; }
.sl-ask:focus-within { border-color: var(--sl-accent); }
.sl-ask textarea.q-field__native { resize: none; padding: 9px 0; line-height: 1.4; max-height: 30vh; }
.sl-ask .q-field__native, .sl-ask .q-field__native::placeholder { font-size: 16px; color: var(--sl-text); }
.sl-ask .q-field__native::placeholder { color: var(--sl-soft); opacity: 1; }
.sl-chips { gap: 8px; }
.sl-chip { border: 1px solid var(--sl-line); border-radius: 999px; background: var(--sl-card); color: var(--sl-text); padding: 5px 13px;
  font-size: 13px; cursor: pointer; text-align: left; line-height: 1.35; }
.sl-chip:hover, .sl-chip:focus-visible { border-color: var(--sl-accent); color: var(--sl-accent); outline: none; }
.sl-stages { gap: 6px; flex-wrap: wrap; }
.sl-stage { display: flex; align-items: center; gap: 6px; border-radius: 999px; padding: 3px 10px; font-size: 12.5px; color: var(--sl-soft);
  background: transparent; border: 1px solid var(--sl-line); opacity: .55; white-space: nowrap; }
.sl-stage.done { opacity: 1; }
.sl-stage.running { opacity: 1; color: var(--sl-accent); border-color: var(--sl-accent); background: var(--sl-accent-soft); }
.sl-stage .ms { font-variant-numeric: tabular-nums; color: var(--sl-text); }
.sl-stage.running .ms::after { content: "..."; }
.sl-lead { font-size: 15.5px; line-height: 1.55; overflow-wrap: anywhere; }
.sl-h { font-size: 13px; font-weight: 600; }
.sl-tag { border-radius: 6px; padding: 2px 8px; font-size: 12px; border: 1px solid var(--sl-line); color: var(--sl-soft);
  white-space: nowrap; max-width: 100%; overflow: hidden; text-overflow: ellipsis; }
.sl-tag.good { color: var(--sl-good); border-color: currentColor; } .sl-tag.warn { color: var(--sl-warn); border-color: currentColor; }
.sl-tag.bad { color: var(--sl-bad); border-color: currentColor; }
.sl-note { background: var(--sl-warn-soft); color: var(--sl-warn); border-radius: 8px; padding: 8px 12px; font-size: 13px; width: 100%;
  overflow-wrap: anywhere; }
.sl-problem { border-color: var(--sl-bad); }
.sl-problem .sl-problem-title { color: var(--sl-bad); font-weight: 650; font-size: 16px; }
.sl-code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 12.5px; white-space: pre-wrap;
  overflow-wrap: anywhere; }
.sl-figure { font-size: 34px; font-weight: 650; letter-spacing: -.02em; line-height: 1.2; font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere; }
.sl-grid { width: 100%; } .sl-grid .ag-right-aligned-cell { font-variant-numeric: tabular-nums; }
.q-btn:focus-visible, .q-tab:focus-visible, .q-item:focus-visible { outline: 2px solid var(--sl-accent); outline-offset: 1px; }
.sl-grid .null { color: var(--sl-soft); font-style: italic; }
.sl-editor { width: 100%; border: 1px solid var(--sl-line); border-radius: 8px; overflow: hidden; height: auto !important;
  min-height: 84px; }
.sl-editor .cm-editor { max-height: 340px; background: transparent; }
.sl-editor .cm-scroller { font-size: 13px !important; line-height: 20px !important; }
.sl-editor .cm-gutters { display: none !important; }
.sl-editor .cm-content { padding: 8px 6px; }
.sl-editor .cm-activeLine, .sl-editor .cm-activeLineGutter { background: transparent !important; }
.sl-main .q-btn:not(.q-btn--round) .q-icon { font-size: 18px; }
.sl-main .nicegui-aggrid, .sl-main .nicegui-aggrid * { --ag-font-family: inherit !important;
  --ag-background-color: var(--sl-card) !important;
  --ag-header-background-color: var(--sl-bg) !important; --ag-foreground-color: var(--sl-text) !important;
  --ag-border-color: var(--sl-line) !important; --ag-header-text-color: var(--sl-text) !important; }
.sl-plain { color: var(--sl-soft) !important; }
.sl-column { display: flex; width: 100%; justify-content: space-between; gap: 12px; padding: 2px 0; font-size: 13px; }
.sl-column > :first-child { overflow-wrap: anywhere; } .sl-column > :last-child { color: var(--sl-soft); white-space: nowrap; }
.sl-entry { width: 100%; padding: 8px; border-radius: 8px; cursor: pointer; gap: 2px; }
.sl-entry:hover, .sl-entry:focus-visible { background: var(--sl-accent-soft); outline: none; }
.sl-entry .q { font-size: 13.5px; line-height: 1.35; overflow-wrap: anywhere; display: -webkit-box; -webkit-line-clamp: 2;
  -webkit-box-orient: vertical; overflow: hidden; }
.sl-drawer .q-expansion-item__container > .q-item { padding: 4px 6px; min-height: 36px; border-radius: 8px; }
.sl-drawer .q-item__label { overflow-wrap: anywhere; font-size: 14px; }
.sl-drawer .nicegui-expansion .q-expansion-item__content { padding: 0 8px 8px; }
@media (max-width: 600px) {
  .sl-main { padding: 18px 12px 48px; gap: 12px; } .sl-title { font-size: 21px; } .sl-card { padding: 14px; }
  .sl-ask { padding: 4px 4px 4px 12px; } .sl-where { display: none; }
  .sl-stages { gap: 4px; } .sl-stage { padding: 2px 7px; font-size: 11.5px; gap: 4px; } .sl-lead { font-size: 14.5px; }
}
"""

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""The Content-Security-Policy of the page: nothing from elsewhere. The framework needs inline and evaluated scripts of its own."""

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#1f5fbf"/>'
    '<path d="M7 11c5-4 13 4 18 0M7 17c5-4 13 4 18 0M7 23c5-4 13 4 18 0" fill="none" stroke="#fff" stroke-width="2.6" '
    'stroke-linecap="round"/></svg>'
)

import { type Markdown, type MarkdownNode, parseMarkdown, textOf } from '../../src/text/markdown/index.ts';

/** What a renderer would load or follow, but bare addresses that say where they lead. */
export function liveNodes(markdown: string): string[] {
  const found: string[] = [];
  const visit = (node: MarkdownNode | Markdown) => {
    if (/^(?:image|link|imageReference|linkReference|definition|html|footnote.*)$/.test(node.type)) {
      const bare =
        node.type === 'link' && /^(?:https?:\/\/|mailto:)?/.test(node.url) && node.url.endsWith(textOf(node));
      if (!bare) found.push(node.type);
    }
    if ('children' in node) for (const child of node.children) visit(child);
  };
  visit(parseMarkdown(markdown));
  return found;
}

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
)

// reasons turns the constants of a kind's conditions file into Markdown: one section, a table per block of constants. The
// block's comment introduces the table; a constant's own comment, without its name, is the row.
func reasons(file string) (string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		return "", fmt.Errorf("read conditions and reasons: %w", err)
	}
	var b strings.Builder
	fmt.Fprint(&b, "\n## Conditions and reasons\n")
	for _, declaration := range parsed.Decls {
		block, ok := declaration.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST {
			continue
		}
		single := !block.Lparen.IsValid()
		if !single {
			fmt.Fprintf(&b, "\n%s\n", oneLine(block.Doc.Text()))
		} else {
			fmt.Fprint(&b, "\nIn more than one condition:\n")
		}
		fmt.Fprint(&b, "\n| Word | What it means |\n|---|---|\n")
		for _, spec := range block.Specs {
			constant, ok := spec.(*ast.ValueSpec)
			if !ok || len(constant.Values) != 1 {
				continue
			}
			literal, ok := constant.Values[0].(*ast.BasicLit)
			if !ok {
				continue
			}
			word, err := strconv.Unquote(literal.Value)
			if err != nil {
				return "", fmt.Errorf("read constant %s: %w", constant.Names[0].Name, err)
			}
			comment := constant.Doc.Text()
			if single {
				comment = block.Doc.Text()
			}
			sentence := strings.TrimPrefix(oneLine(comment), constant.Names[0].Name+" ")
			fmt.Fprintf(&b, "| `%s` | %s |\n", word, cell(sentence))
		}
	}
	return b.String(), nil
}

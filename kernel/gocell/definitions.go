package gocell

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// Definitions lists the names that a cell declares for later cells, without
// imports and methods. It is empty if the cell is not Go that can be parsed.
func (c *Cell) Definitions() (names []string) {
	if !c.IsGo() {
		return nil
	}
	file, err := parser.ParseFile(token.NewFileSet(), "", c.program(), parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name != "main" {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					names = append(names, s.Name.Name)
				case *ast.ValueSpec:
					for _, name := range s.Names {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "_" })
}

// program is the Go file that GoNB makes of the cell.
func (c *Cell) program() string {
	var b strings.Builder
	b.WriteString("package main\n")
	closes := 0
	for i, l := range c.scan.lines {
		text, isFirst := c.command(i)
		switch {
		case isFirst && isMain(text):
			b.WriteString("func main() {")
			closes++
		case !l.command && !(l.begin == inCode && packageClause.MatchString(l.text)):
			b.WriteString(l.text)
		}
		b.WriteByte('\n')
	}
	b.WriteString(strings.Repeat("}\n", closes))
	return b.String()
}

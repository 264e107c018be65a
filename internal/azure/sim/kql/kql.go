// Package kql answers the part of the Kusto query language that queries on Azure Resource Graph of this project need.
//
// What it does not know is refused, never guessed at: as a syntax error where Resource Graph has no such thing either, and
// as not simulated where it has.
package kql

import "fmt"

// Row is one record: its columns by name, with values as encoding/json decodes them.
type Row = map[string]any

// Table is rows and the names of their columns in order. A row may lack a column: that is a null.
type Table struct {
	Columns []string
	Rows    []Row
}

// Kinds of errors.
const (
	// Syntax is for a query that Resource Graph refuses to read.
	Syntax = "ParserFailure"
	// UnknownColumn is for a column that no operator before has.
	UnknownColumn = "InvalidColumnNames"
	// NotSimulated is for what Resource Graph can do and this package cannot.
	NotSimulated = "NotSimulated"
)

// Error says what is wrong with a query.
type Error struct {
	// Kind is Syntax, UnknownColumn or NotSimulated.
	Kind string
	// Message says it in words.
	Message string
	// Token is what stands where the query is wrong, at Line and Position; both count from 1 and 0, as Resource Graph does it.
	Token          string
	Line, Position int
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s at %q (line %d, character %d)", e.Kind, e.Message, e.Token, e.Line, e.Position)
}

// Query is a query that was read: a table and what is done to it.
type Query struct {
	// Table is the name of the table, in the query's letter case.
	Table string
	steps []step
}

// step is one operator between two bars.
type step func(Table) (Table, error)

// Run applies the query to the rows of its table.
func (q *Query) Run(t Table) (Table, error) {
	for _, s := range q.steps {
		var err error
		if t, err = s(t); err != nil {
			return Table{}, err
		}
	}
	return t, nil
}

package main

import "context"

type contended struct {
	Nodes, Pods int
	Budgets     []int
}
type contested struct{}

func (s *settings) contention(ctx context.Context) ([]contested, error) { return nil, nil }
func (s *settings) large(ctx context.Context) ([]drained, error)       { return nil, nil }
func (s *settings) write(r results) error                               { return nil }

package main

func (s *settings) write(results) error { return nil }

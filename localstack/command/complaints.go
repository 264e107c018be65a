package command

import (
	"errors"
	"sync"
)

// complaints are what parts of the process said on giving up, each in a goroutine of its own. The demo cannot print them while
// it draws its screen, and must not succeed without them being heard.
type complaints struct {
	mu   sync.Mutex
	said []error
}

func (c *complaints) add(message string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said = append(c.said, errors.New(message))
}

// err is all of them, nil if there are none.
func (c *complaints) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(c.said...)
}

package demo

import (
	"fmt"
	"slices"
	"strings"
)

func samePools(a, b PoolsSeen) bool {
	return slices.Equal(a.Pools, b.Pools) && a.PodsLeft == b.PodsLeft
}

// line puts the pools into one sentence: "old a1 with 3 nodes (0 take pods), new b2 with 3 nodes (3 take pods); 4 pods left on old nodes".
func (p PoolsSeen) line() string {
	var parts []string
	for _, pool := range p.Pools {
		parts = append(parts, fmt.Sprintf("%s %s with %s (%d take pods)", pool.age(), pool.Name, count(pool.Nodes, "node"), pool.Ready))
	}
	return strings.Join(parts, ", ") + p.left()
}

// left says what is still on old nodes, once they are being emptied.
func (p PoolsSeen) left() string {
	if p.Total == 0 || p.PodsLeft == 0 {
		return ""
	}
	return fmt.Sprintf("; %s left on old nodes", count(p.PodsLeft, "pod"))
}

// age is what people call a role.
func (p Pool) age() string {
	switch p.Role {
	case "Outgoing":
		return "old"
	case "Incoming":
		return "new"
	default:
		return "pool"
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

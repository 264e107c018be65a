package capi

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Described is a cluster that exists, as a wish that changes nothing in it.
type Described struct {
	Wish
	// Pools are its MachinePools with the names of their agent pools and what a Nodepool would say of them.
	Pools []Pool
	// Odd is what a wish cannot say, and which therefore stays as it is.
	Odd []string
}

// Describe reads a cluster of either flavour for adoption.
func Describe(ctx context.Context, reader client.Reader, key types.NamespacedName) (Described, error) {
	return Described{}, errors.ErrUnsupported
}

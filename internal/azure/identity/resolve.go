package identity

import (
	"fmt"

	"k8s.io/apimachinery/pkg/types"
)

// Sources are what is known about a cluster's identity so far. What was not read yet has Asked false.
type Sources struct {
	// ControlPlane is the object that names the identity, as messages name it; Namespace is its namespace and the cluster's.
	ControlPlane, Namespace string
	// Ref is what spec.identityRef of an AzureManagedControlPlane names; its Name is empty when there is none.
	Ref types.NamespacedName
	// Environment is spec.azureEnvironment of an AzureManagedControlPlane.
	Environment string
	// ASO is true for a cluster that is an object of Azure Service Operator. CredentialFrom is then that object's annotation
	// serviceoperator.azure.com/credential-from.
	ASO            bool
	CredentialFrom string

	// Object is the AzureClusterIdentity that Ref names, Labels are those of Namespace.
	Object Read[ClusterIdentity]
	Labels Read[map[string]string]
	// Secrets are the data of those that were needed.
	Secrets map[types.NamespacedName]Read[map[string][]byte]
}

// Read is something of the API server: not asked for yet, found, or not there.
type Read[V any] struct {
	Asked, Found bool
	Value        V
}

// Need is what has to be read before there can be an answer.
type Need int

// The needs.
const (
	NeedNothing Need = iota
	// NeedObject is the AzureClusterIdentity of Sources.Ref.
	NeedObject
	// NeedLabels are the labels of Sources.Namespace.
	NeedLabels
	// NeedSecret is the Secret of Step.Secret.
	NeedSecret
)

// Step is an identity, or what has to be read before there is one.
type Step struct {
	Need     Need
	Secret   types.NamespacedName
	Identity Identity
}

// Resolve finds the identity of a cluster, in the order in which CAPZ and Azure Service Operator do:
//
//   - an AzureManagedControlPlane names an AzureClusterIdentity, which allows the cluster's namespace;
//   - an object of Azure Service Operator names a Secret of its namespace, or else there is one called aso-credential;
//   - a cluster that names none has the operator's own.
//
// Errors are of type *Refusal. There is no falling back from an identity that is named and cannot be used: the next one would
// act as somebody else.
func Resolve(s Sources) (Step, error) {
	switch {
	case s.ASO:
		return s.ofASO()
	case s.Ref.Name != "":
		return s.ofCAPZ()
	}
	return Step{Identity: Identity{Cloud: s.cloud()}}, nil
}

// cloud is the one that an AzureManagedControlPlane names.
func (s Sources) cloud() Cloud {
	if s.Environment == "" {
		return Cloud{}
	}
	return Cloud{Name: s.Environment, From: s.ControlPlane + ": spec.azureEnvironment"}
}

// secret is the data of a Secret that field names, nil while it has to be read first.
func (s Sources) secret(key types.NamespacedName, field string) (map[string][]byte, *Step, error) {
	read := s.Secrets[key]
	switch {
	case !read.Asked:
		return nil, &Step{Need: NeedSecret, Secret: key}, nil
	case !read.Found:
		return nil, nil, refuse(NotFound, "%s names Secret %s, which does not exist: create it or name another", field, key)
	}
	return read.Value, nil, nil
}

func refuse(reason Reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Package armpath reads the path of an Azure Resource Manager request.
//
// It is stricter than the SDK's arm.ParseResourceID on purpose: an empty segment, an encoded slash or a half-written
// provider clause is an error, because a simulator that guesses hides the bugs it is there to show.
package armpath

import (
	"fmt"
	"net/url"
	"strings"
)

// MaxSegment is the longest path segment that is accepted, in bytes. No ARM name is longer than 260 characters.
const MaxSegment = 260

// ResourcesNamespace is the namespace of subscriptions and resource groups, whose ids have no provider clause.
const ResourcesNamespace = "Microsoft.Resources"

// Path is a parsed request path. Letter case is kept as sent: comparing is the business of Key.
type Path struct {
	// Subscription is the subscription id; empty for tenant-level paths.
	Subscription string
	// Group is the resource group's name; empty above resource groups.
	Group string
	// Scope is everything in front of the last provider clause, without a trailing slash. It is the scope of an
	// extension resource such as a role assignment, and the subscription or group of a plain one.
	Scope string
	// ScopeIsResource tells that Scope itself has a provider clause, so this path is about an extension of a resource.
	ScopeIsResource bool
	// Namespace is the resource provider, for instance Microsoft.ContainerService.
	Namespace string
	// Types are the type segments behind the namespace: ["managedClusters", "agentPools"].
	Types []string
	// Names are the names that go with Types. One fewer than Types means a collection or an action on the last name.
	Names []string
	// clause tells that the id has a provider clause; only those of subscriptions and resource groups have none.
	clause bool
}

// Parse reads an escaped URL path such as /subscriptions/s/resourceGroups/g/providers/N/t/n.
func Parse(escaped string) (Path, error) {
	segments, err := split(escaped)
	if err != nil {
		return Path{}, err
	}
	p := Path{}
	rest, err := p.readRoot(segments)
	if err != nil {
		return Path{}, err
	}
	for len(rest) > 0 {
		if rest, err = p.readProvider(rest); err != nil {
			return Path{}, err
		}
	}
	return p, nil
}

func split(escaped string) ([]string, error) {
	if !strings.HasPrefix(escaped, "/") {
		return nil, fmt.Errorf("path %q does not start with a slash", escaped)
	}
	parts := strings.Split(strings.TrimSuffix(escaped[1:], "/"), "/")
	for i, part := range parts {
		segment, err := url.PathUnescape(part)
		if err != nil {
			return nil, fmt.Errorf("path segment %q: %w", part, err)
		}
		if err := checkSegment(segment); err != nil {
			return nil, err
		}
		parts[i] = segment
	}
	return parts, nil
}

func checkSegment(s string) error {
	if s == "" {
		return fmt.Errorf("path has an empty segment")
	}
	if len(s) > MaxSegment {
		return fmt.Errorf("path segment of %d bytes is longer than %d", len(s), MaxSegment)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == '\ufffd' || strings.ContainsRune(`/\?#%<>`, r) {
			return fmt.Errorf("path segment %q has a character that no ARM name may have", s)
		}
	}
	return nil
}

// readRoot takes the subscription and the resource group off the front and returns what is left.
func (p *Path) readRoot(segments []string) ([]string, error) {
	if strings.EqualFold(segments[0], "providers") {
		return segments, nil
	}
	if !strings.EqualFold(segments[0], "subscriptions") {
		return nil, fmt.Errorf("path starts with %q, expected subscriptions or providers", segments[0])
	}
	p.Namespace, p.Types = ResourcesNamespace, []string{"subscriptions"}
	if len(segments) == 1 {
		return nil, nil
	}
	p.Subscription = segments[1]
	p.Names = []string{p.Subscription}
	rest := segments[2:]
	if len(rest) == 0 || strings.EqualFold(rest[0], "providers") {
		return rest, nil
	}
	p.Scope, p.Types, p.Names = p.ID(), []string{rest[0]}, nil
	if !strings.EqualFold(rest[0], "resourceGroups") {
		if len(rest) > 1 {
			return nil, fmt.Errorf("path goes on after %q, expected resourceGroups or providers", rest[0])
		}
		return nil, nil
	}
	if len(rest) == 1 {
		return nil, nil
	}
	p.Group = rest[1]
	p.Names = []string{p.Group}
	rest = rest[2:]
	if len(rest) > 0 && !strings.EqualFold(rest[0], "providers") {
		if len(rest) > 1 {
			return nil, fmt.Errorf("path has %q after the resource group, expected providers", rest[0])
		}
		p.Types = append(p.Types, rest[0])
		return nil, nil
	}
	return rest, nil
}

// readProvider takes one /providers/{namespace}/{type}/{name}... clause off the front; a second one makes it a scope.
func (p *Path) readProvider(segments []string) ([]string, error) {
	if len(segments) < 3 {
		return nil, fmt.Errorf("provider clause needs a namespace and a type")
	}
	if p.Namespace != "" {
		p.ScopeIsResource = p.clause
		p.Scope = p.ID()
	}
	p.Namespace, p.Types, p.Names, p.clause = segments[1], nil, nil, true
	rest := segments[2:]
	for len(rest) > 0 && !strings.EqualFold(rest[0], "providers") {
		p.Types = append(p.Types, rest[0])
		if rest = rest[1:]; len(rest) == 0 {
			return nil, nil
		}
		if strings.EqualFold(rest[0], "providers") {
			return nil, fmt.Errorf("collection %s cannot be the scope of a provider clause", p.ID())
		}
		p.Names = append(p.Names, rest[0])
		rest = rest[1:]
	}
	if len(p.Types) == 0 {
		return nil, fmt.Errorf("provider clause of %s has no type", p.Namespace)
	}
	return rest, nil
}

// IsResource tells whether the path names one resource, and not a collection or an action.
func (p Path) IsResource() bool { return len(p.Names) == len(p.Types) && len(p.Types) > 0 }

// Type is the full resource type, for instance Microsoft.ContainerService/managedClusters/agentPools.
func (p Path) Type() string { return p.Namespace + "/" + strings.Join(p.Types, "/") }

// Name is the last name; empty when there is none.
func (p Path) Name() string {
	if len(p.Names) == 0 {
		return ""
	}
	return p.Names[len(p.Names)-1]
}

// ID writes the path in ARM's usual form, names and types as they were sent.
func (p Path) ID() string {
	b := strings.Builder{}
	b.WriteString(p.Scope)
	if p.clause {
		b.WriteString("/providers/" + p.Namespace)
	}
	for i, t := range p.Types {
		b.WriteString("/" + t)
		if i < len(p.Names) {
			b.WriteString("/" + p.Names[i])
		}
	}
	return b.String()
}

// Parent is the path one level up: the cluster of an agent pool, the resource of an action or collection.
// A top-level resource has no parent of its own and answers itself.
func (p Path) Parent() Path {
	if len(p.Types) < 2 {
		return p
	}
	p.Types = p.Types[:len(p.Types)-1]
	p.Names = p.Names[:len(p.Types)]
	return p
}

// Key is ID folded to lower case: ARM ids are equal whatever the letter case.
func (p Path) Key() string { return Key(p.ID()) }

// Key folds an ARM id for comparing and for use as a map key.
func Key(id string) string { return strings.ToLower(strings.TrimSuffix(id, "/")) }

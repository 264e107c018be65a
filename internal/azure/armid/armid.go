// Package armid compares Azure resource ids as Azure does: whole, segment by
// segment, without regard to case.
//
// It stands on the Azure SDK's parser and refuses what that lets through: a
// doubled or trailing slash, a query, an empty name, a character that nobody
// sees. A prefix, a suffix or a name alone never identifies anything.
package armid

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
)

// providerScheme stands before the ARM id in a Node's spec.providerID.
const providerScheme = "azure://"

const (
	scaleSetType = "Microsoft.Compute/virtualMachineScaleSets"
	instanceType = scaleSetType + "/virtualMachines"
)

// ID is a validated ARM id. The zero ID equals nothing.
type ID struct {
	text, key string
}

// String is the id as it was given.
func (id ID) String() string { return id.text }

// Key is the same for two ids exactly when Azure takes them for the same
// resource. It is for maps; it is not a valid way to write the id.
func (id ID) Key() string { return id.key }

// Equal reports whether both name the same resource.
func (id ID) Equal(other ID) bool { return id.key != "" && id.key == other.key }

// Parse reads an ARM resource id such as
// /subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/virtualMachineScaleSets/V.
func Parse(text string) (ID, error) {
	if err := wellFormed(text); err != nil {
		return ID{}, fmt.Errorf("%q is not an Azure resource id: %w", text, err)
	}
	parsed, err := arm.ParseResourceID(text)
	if err != nil {
		return ID{}, fmt.Errorf("%q is not an Azure resource id: %w", text, err)
	}
	if parsed.Name == "" || isWord(parsed.SubscriptionID) || isWord(parsed.ResourceGroupName) {
		return ID{}, fmt.Errorf("%q is not an Azure resource id: a name is missing", text)
	}
	return ID{text: text, key: strings.Map(fold, text)}, nil
}

// isWord is true for a name that is a word of ids: in
// /subscriptions/resourceGroups/g, the subscription is missing.
func isWord(name string) bool {
	return strings.EqualFold(name, "providers") || strings.EqualFold(name, "resourceGroups")
}

// fold makes the cases of a letter one, as Azure does: the Kelvin sign, whose
// lower case is k, is not a k to it.
func fold(r rune) rune {
	if lower := unicode.ToLower(r); r < utf8.RuneSelf || lower >= utf8.RuneSelf {
		return lower
	}
	return r
}

func wellFormed(text string) error {
	switch {
	case !strings.HasPrefix(text, "/"):
		return fmt.Errorf("it does not start with a slash")
	case !utf8.ValidString(text), strings.ContainsAny(text, "?#% \\"), strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("it holds a character that no id has")
	}
	for segment := range strings.SplitSeq(text[1:], "/") {
		if segment == "" || segment == "." || segment == ".." {
			return fmt.Errorf("it has an empty segment")
		}
	}
	return nil
}

// Instance is one virtual machine of a scale set.
type Instance struct {
	// ID is the machine's own id.
	ID
	// ScaleSet is the id of the scale set it belongs to.
	ScaleSet ID
}

// ParseProviderID reads a Node's spec.providerID, "azure://" and the ARM id of
// a scale set instance. Any other kind of machine is an error: Fleetwright
// works with scale set pools only.
func ParseProviderID(text string) (Instance, error) {
	rest, found := strings.CutPrefix(text, providerScheme)
	if !found {
		return Instance{}, fmt.Errorf("provider id %q does not start with %s", text, providerScheme)
	}
	id, err := Parse(rest)
	if err != nil {
		return Instance{}, fmt.Errorf("provider id %q: %w", text, err)
	}
	parsed, err := arm.ParseResourceID(rest)
	if err != nil || !strings.EqualFold(parsed.ResourceType.String(), instanceType) || parsed.Parent == nil {
		return Instance{}, fmt.Errorf("provider id %q is not an instance of a scale set", text)
	}
	// The instance's id is "<scale set>/virtualMachines/<n>".
	cut := rest[:strings.LastIndex(rest, "/")]
	set, err := Parse(cut[:strings.LastIndex(cut, "/")])
	if err != nil {
		return Instance{}, fmt.Errorf("provider id %q: %w", text, err)
	}
	return Instance{ID: id, ScaleSet: set}, nil
}

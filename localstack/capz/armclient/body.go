package armclient

import (
	"errors"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Body is a resource as Azure Resource Manager writes it in JSON.
type Body map[string]any

// String returns the string at a path of fields, "" if there is none.
func (b Body) String(path ...string) string {
	value, _, _ := unstructured.NestedString(b, path...)
	return value
}

// Bool returns the boolean at a path of fields, false if there is none.
func (b Body) Bool(path ...string) bool {
	value, _, _ := unstructured.NestedBool(b, path...)
	return value
}

// Int returns the whole number at a path of fields.
func (b Body) Int(path ...string) (int, bool) {
	value, found, err := unstructured.NestedFieldNoCopy(b, path...)
	number, ok := value.(float64)
	return int(number), found && err == nil && ok
}

// Tags returns the resource's tags, never nil.
func (b Body) Tags() map[string]string {
	tags, _, _ := unstructured.NestedStringMap(b, "tags")
	if tags == nil {
		tags = map[string]string{}
	}
	return tags
}

// ProvisioningState returns properties.provisioningState.
func (b Body) ProvisioningState() string { return b.String("properties", "provisioningState") }

// Settled says whether no operation is running on the resource, so that a new one would be accepted. Resources without a
// provisioning state, such as those that are created at once, are settled.
func (b Body) Settled() bool {
	switch strings.ToLower(b.ProvisioningState()) {
	case "", "succeeded", "failed", "canceled":
		return true
	default:
		return false
	}
}

// IsNotFound says whether Azure answered that the resource, or what it would be in, does not exist.
func IsNotFound(err error) bool {
	var response *azcore.ResponseError
	return errors.As(err, &response) && response.StatusCode == http.StatusNotFound
}

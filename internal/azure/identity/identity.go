// Package identity finds the Azure identity by which a cluster is managed, from what its owners wrote for the Azure provider of
// Cluster API (CAPZ) and for Azure Service Operator (ASO).
//
// [Resolve] is a function of values: it says what it needs read next, and reads nothing itself. So a Secret is read only after
// everything before it allows its use.
package identity

import "strings"

// Method is how an identity proves itself to Microsoft Entra ID.
type Method string

// The methods. Operator, the zero one, is whatever the operator's own environment says.
const (
	Operator          Method = ""
	WorkloadIdentity  Method = "WorkloadIdentity"
	ManagedIdentity   Method = "ManagedIdentity"
	ClientSecret      Method = "ClientSecret"
	ClientCertificate Method = "ClientCertificate"
	// ManagedIdentityFile is a managed identity whose certificate is in a file, of services of Microsoft's own.
	ManagedIdentityFile Method = "ManagedIdentityFile"
)

// Identity is one identity. The zero Identity is the operator's own.
type Identity struct {
	Method Method
	// From is the object that holds it, as messages name it: "AzureClusterIdentity team-a/shop". Empty for the operator's own.
	From string
	// TenantID and ClientID are those of Microsoft Entra ID.
	TenantID, ClientID string
	// Secret is the client secret of ClientSecret, or the certificate with its key of ClientCertificate (PEM or PKCS#12), which
	// Password protects.
	Secret, Password Secret
	// File is where the operator's own file system has the certificate of ClientCertificate, if Secret is empty, or the
	// credentials of ManagedIdentityFile.
	File string
	// Cloud is where it signs in.
	Cloud Cloud
}

// Cloud is the Azure that a cluster or a Secret names. The zero Cloud is the one the operator was started for.
type Cloud struct {
	// Name is AzurePublicCloud, AzureUSGovernmentCloud or AzureChinaCloud.
	Name string
	// Endpoint and Audience (of Azure Resource Manager) and Authority (of Microsoft Entra ID) describe one without a name; all
	// three are set, or none.
	Endpoint, Audience, Authority string
	// From says where that is written, for messages: "AzureManagedControlPlane team-a/shop: spec.azureEnvironment".
	From string
}

// Principal is the key by which Azure counts requests: the client id, in lower case. No other identity has it, in any tenant, and it is
// the same whichever way the identity signs in: a managed identity may come without its tenant.
func (i Identity) Principal() string { return strings.ToLower(i.ClientID) }

// Reason sorts refusals.
type Reason string

// The reasons. Each surfaces when no identity can be had for a cluster.
const (
	// NotFound surfaces when an object that is named does not exist.
	NotFound Reason = "IdentityNotFound"
	// NotAllowed surfaces when an AzureClusterIdentity does not let the cluster's namespace use it.
	NotAllowed Reason = "IdentityNotAllowed"
	// Invalid surfaces when what is written cannot be used. The message names the field, its value and what to write instead.
	Invalid Reason = "IdentityInvalid"
)

// Refusal says why there is no identity for a cluster. It holds no secret.
type Refusal struct {
	Reason Reason
	// Message names the object, the field and its value, and what to do.
	Message string
}

func (r *Refusal) Error() string { return r.Message }

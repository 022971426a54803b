// The other side of the compatibility tests: Go's jwt/v2, nkeys and nats.go, as Debian packages them.
// Each command reads standard input or its arguments and prints JSON.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

func main() {
	var result interface{}
	switch os.Args[1] {
	case "decode":
		result = decode(os.Stdin)
	case "make":
		result = makeAll()
	case "creds":
		result = readCreds(os.Stdin)
	case "connect":
		result = connect(os.Args[2], os.Args[3], os.Args[4])
	default:
		fail(fmt.Errorf("unknown command %q", os.Args[1]))
	}
	check(json.NewEncoder(os.Stdout).Encode(result))
}

type decoded struct {
	Error    string     `json:"error,omitempty"`
	Type     string     `json:"type,omitempty"`
	Claims   jwt.Claims `json:"claims,omitempty"`
	Blocking []string   `json:"blocking"`
	Others   []string   `json:"others"`
}

// decode decodes and validates one token a line.
func decode(in io.Reader) []decoded {
	results := []decoded{}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		result := decoded{Blocking: []string{}, Others: []string{}}
		claims, err := jwt.Decode(lines.Text())
		if err != nil {
			result.Error = err.Error()
		} else {
			result.Type = string(claims.ClaimType())
			result.Claims = claims
			issues := jwt.CreateValidationResults()
			claims.Validate(issues)
			for _, issue := range issues.Issues {
				if issue.Blocking {
					result.Blocking = append(result.Blocking, issue.Description)
				} else {
					result.Others = append(result.Others, issue.Description)
				}
			}
		}
		results = append(results, result)
	}
	return results
}

type made struct {
	OperatorJwt string `json:"operatorJwt"`
	AccountJwt  string `json:"accountJwt"`
	// The files of three users: signed by the account, by its signing key, and by its scoped signing key.
	Creds       string `json:"creds"`
	SignedCreds string `json:"signedCreds"`
	ScopedCreds string `json:"scopedCreds"`
	RevokedJwt  string `json:"revokedJwt"`
	UserKey     string `json:"userKey"`
	AccountKey  string `json:"accountKey"`
	AccountFile string `json:"accountFile"`
}

// makeAll makes a whole hierarchy.
func makeAll() made {
	operator, operatorKey := pair(nkeys.CreateOperator())
	account, accountKey := pair(nkeys.CreateAccount())
	signer, signerKey := pair(nkeys.CreateAccount())
	scoped, scopedKey := pair(nkeys.CreateAccount())
	user, userKey := pair(nkeys.CreateUser())
	_, revokedKey := pair(nkeys.CreateUser())

	operatorClaims := jwt.NewOperatorClaims(operatorKey)
	operatorClaims.Name = "Acme"
	operatorClaims.OperatorServiceURLs.Add("nats://one.example:4222")

	accountClaims := jwt.NewAccountClaims(accountKey)
	accountClaims.Name = "fleet"
	accountClaims.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: -1, DiskStorage: -1, Streams: 5, Consumer: -1}
	accountClaims.SigningKeys.Add(signerKey)
	scope := jwt.NewUserScope()
	scope.Key = scopedKey
	scope.Role = "peel"
	scope.Template.Pub.Allow.Add("zester.fact.{{name()}}")
	accountClaims.SigningKeys.AddScopedSigner(scope)
	accountClaims.RevokeAt(revokedKey, time.Now().Add(time.Hour))

	makeUser := func(key, issuerAccount string, signer nkeys.KeyPair, isScoped bool) string {
		claims := jwt.NewUserClaims(key)
		claims.Name = "web-01"
		claims.IssuerAccount = issuerAccount
		if isScoped {
			claims.UserPermissionLimits = jwt.UserPermissionLimits{}
		} else {
			claims.Pub.Allow.Add("zester.fact.web-01")
			claims.Resp = &jwt.ResponsePermission{MaxMsgs: 1, Expires: time.Minute}
		}
		token, err := claims.Encode(signer)
		check(err)
		return token
	}
	file := func(token string) string {
		content, err := jwt.FormatUserConfig(token, seed(user))
		check(err)
		return string(content)
	}

	operatorJwt, err := operatorClaims.Encode(operator)
	check(err)
	accountJwt, err := accountClaims.Encode(operator)
	check(err)
	accountFile, err := jwt.DecorateSeed(seed(account))
	check(err)
	return made{
		OperatorJwt: operatorJwt,
		AccountJwt:  accountJwt,
		Creds:       file(makeUser(userKey, "", account, false)),
		SignedCreds: file(makeUser(userKey, accountKey, signer, false)),
		ScopedCreds: file(makeUser(userKey, accountKey, scoped, true)),
		RevokedJwt:  makeUser(revokedKey, "", account, false),
		UserKey:     userKey,
		AccountKey:  accountKey,
		AccountFile: string(accountFile),
	}
}

// readCreds reads a .creds file as the Go client does.
func readCreds(in io.Reader) map[string]string {
	content, err := io.ReadAll(in)
	check(err)
	token, err := jwt.ParseDecoratedJWT(content)
	check(err)
	user, err := jwt.ParseDecoratedUserNKey(content)
	check(err)
	key, err := user.PublicKey()
	check(err)
	return map[string]string{"jwt": token, "seed": string(seed(user)), "publicKey": key}
}

// connect connects with nats.UserCredentials, says one word on a subject, and waits until the server has it.
func connect(url, path, subject string) map[string]string {
	connection, err := nats.Connect(url, nats.UserCredentials(path), nats.MaxReconnects(0), nats.Timeout(10*time.Second))
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	defer connection.Close()
	check(connection.Publish(subject, []byte("from Go")))
	check(connection.FlushTimeout(10 * time.Second))
	return map[string]string{"connected": connection.ConnectedServerVersion()}
}

func pair(key nkeys.KeyPair, err error) (nkeys.KeyPair, string) {
	check(err)
	publicKey, err := key.PublicKey()
	check(err)
	return key, publicKey
}

func seed(key nkeys.KeyPair) []byte {
	text, err := key.Seed()
	check(err)
	return text
}

func check(err error) {
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

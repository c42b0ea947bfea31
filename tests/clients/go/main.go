// Command clients asks a Tokenhouse for tokens, and manages it, with the Go clients that others publish, unmodified:
// golang.org/x/oauth2/clientcredentials and github.com/auth0/go-auth0 (authentication, management).
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/auth0/go-auth0/authentication"
	"github.com/auth0/go-auth0/authentication/oauth"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const wrongSecret = "a-secret-of-no-go-client-at-all"

// house is what ../with-house.mjs says about the server that it started.
type house struct {
	Issuer       string                 `json:"issuer"`
	Domain       string                 `json:"domain"`
	HTTPS        bool                   `json:"https"`
	TokenURL     string                 `json:"token_url"`
	APIURL       string                 `json:"api_url"`
	Audience     string                 `json:"audience"`
	Applications map[string]application `json:"applications"`
	Management   application            `json:"management"`
	User         struct{ Username, Password string }
}

type application struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

func main() {
	text, err := os.ReadFile(os.Getenv("TOKENHOUSE_HOUSE"))
	var at house
	if err == nil {
		err = json.Unmarshal(text, &at)
	}
	if err != nil {
		fmt.Println("FAIL  reading what TOKENHOUSE_HOUSE names:", err)
		fmt.Println("0 passed, 1 failed")
		os.Exit(1)
	}
	for _, app := range at.Applications {
		secret(app.Secret)
	}
	secret(wrongSecret)

	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	checkOAuth2(ctx, at)
	if at.HTTPS {
		checkGoAuth0(ctx, at)
		checkResources(ctx, at)
		checkManagement(ctx, at)
	} else {
		fmt.Println("      not run, needs `dev --https`: github.com/auth0/go-auth0")
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 || passed == 0 {
		os.Exit(1)
	}
}

func checkOAuth2(ctx context.Context, at house) {
	styles := []struct {
		name  string
		style oauth2.AuthStyle
	}{
		{"found by probing", oauth2.AuthStyleAutoDetect},
		{"in the header", oauth2.AuthStyleInHeader},
		{"in the body", oauth2.AuthStyleInParams},
	}
	for _, one := range styles {
		config := func(secret string) *clientcredentials.Config {
			return &clientcredentials.Config{
				ClientID:       at.Applications["sample"].ID,
				ClientSecret:   secret,
				TokenURL:       at.TokenURL,
				Scopes:         []string{"read:messages"},
				EndpointParams: map[string][]string{"audience": {at.Audience}},
				AuthStyle:      one.style,
			}
		}
		check("x/oauth2: client credentials, secret "+one.name, func() error {
			token, err := config(at.Applications["sample"].Secret).Token(ctx)
			if err != nil {
				return err
			}
			secret(token.AccessToken)
			if left := time.Until(token.Expiry); left < 23*time.Hour || token.Extra("scope") != "read:messages" {
				return fmt.Errorf("expires in %v, scope %v", left, token.Extra("scope"))
			}
			return nil
		})
		check("x/oauth2: a wrong secret is RetrieveError 401 access_denied, "+one.name, func() error {
			_, err := config(wrongSecret).Token(ctx)
			var refused *oauth2.RetrieveError
			if !errors.As(err, &refused) {
				return fmt.Errorf("not a RetrieveError: %w", errOrNone(err))
			}
			if refused.Response.StatusCode != 401 || refused.ErrorCode != "access_denied" {
				return fmt.Errorf("%d %s", refused.Response.StatusCode, refused.ErrorCode)
			}
			return nil
		})
	}
	check("x/oauth2: its http.Client calls the sample API", func() error {
		config := clientcredentials.Config{
			ClientID:       at.Applications["sample"].ID,
			ClientSecret:   at.Applications["sample"].Secret,
			TokenURL:       at.TokenURL,
			EndpointParams: map[string][]string{"audience": {at.Audience}},
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.APIURL+"/api/private-scoped", nil)
		if err != nil {
			return err
		}
		answer, err := config.Client(ctx).Do(request)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != 200 {
			return fmt.Errorf("the API answered %s", answer.Status)
		}
		return nil
	})
}

func checkGoAuth0(ctx context.Context, at house) {
	client := func(id, secret string) (*authentication.OAuth, error) {
		api, err := authentication.New(ctx, at.Domain,
			authentication.WithClientID(id), authentication.WithClientSecret(secret))
		if err != nil {
			return nil, err
		}
		return api.OAuth, nil
	}
	machine := func(id, password string) (*oauth.TokenSet, error) {
		api, err := client(id, password)
		if err != nil {
			return nil, err
		}
		asked := oauth.LoginWithClientCredentialsRequest{Audience: at.Audience}
		return api.LoginWithClientCredentials(ctx, asked, oauth.IDTokenValidationOptions{})
	}
	person := func(password, realm string) (*oauth.TokenSet, error) {
		app := at.Applications["password"]
		api, err := client(app.ID, app.Secret)
		if err != nil {
			return nil, err
		}
		asked := oauth.LoginWithPasswordRequest{Username: at.User.Username, Password: password, Realm: realm,
			Audience: at.Audience, Scope: "openid read:messages"}
		return api.LoginWithPassword(ctx, asked, oauth.IDTokenValidationOptions{})
	}

	check("go-auth0: LoginWithClientCredentials", func() error {
		app := at.Applications["sample"]
		token, err := machine(app.ID, app.Secret)
		if err != nil {
			return err
		}
		secret(token.AccessToken)
		scopes := strings.Fields(token.Scope)
		slices.Sort(scopes)
		if token.ExpiresIn != 86400 || !slices.Equal(scopes, []string{"read:messages", "write:messages"}) {
			return fmt.Errorf("expires in %d, scope %q", token.ExpiresIn, token.Scope)
		}
		return nil
	})
	for _, realm := range []string{"", "Username-Password-Authentication"} {
		check(fmt.Sprintf("go-auth0: LoginWithPassword, realm %q, its ID token verified", realm), func() error {
			token, err := person(at.User.Password, realm)
			if err != nil {
				return err
			}
			secret(token.AccessToken)
			if secret(token.IDToken) == "" {
				return errors.New("no ID token")
			}
			return nil
		})
	}
	check("go-auth0: a wrong secret is Error 401 access_denied", func() error {
		_, err := machine(at.Applications["sample"].ID, wrongSecret)
		return expect(err, 401, "access_denied")
	})
	check("go-auth0: a wrong password is Error 403 invalid_grant", func() error {
		_, err := person(wrongSecret, "")
		return expect(err, 403, "invalid_grant")
	})
	check("go-auth0: no client grant is Error 403 access_denied", func() error {
		app := at.Applications["password"]
		_, err := machine(app.ID, app.Secret)
		return expect(err, 403, "access_denied")
	})
}

// expect says how err differs from go-auth0's error with this status and code.
func expect(err error, status int, code string) error {
	var refused *authentication.Error
	if !errors.As(err, &refused) {
		return fmt.Errorf("not an authentication.Error: %w", errOrNone(err))
	}
	if refused.StatusCode != status || refused.Err != code {
		return fmt.Errorf("%d %s", refused.StatusCode, refused.Err)
	}
	return nil
}

func errOrNone(err error) error {
	if err == nil {
		return errors.New("it was not refused")
	}
	return err
}

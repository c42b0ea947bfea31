// Pages as no link leads to them: after something was sent, shown, made or refused. Each is held to what every page is.

import { secret } from "../quickstart/check.mjs";
import { rotated } from "./acts.mjs";

const press = (page, name) => page.locator("main").getByRole("button", { name, exact: true }).first().click();

/** Each state: its name, and how a page gets there. */
export function states({ facts, testTab }) {
  const { sample, reader } = facts.applications;
  const applicationPage = (id, page = "") => `/console/applications/${id}${page}`;
  const issue = async (page) => {
    await page.goto(`${testTab}?application=${sample.client_id}`);
    await press(page, "Issue a token");
    await page.locator("#access-token").waitFor();
    return page.locator("#access-token").textContent();
  };
  return [
    ["debugger-answered", async (page) => {
      await page.goto(`/console/debugger/client-credentials?client_id=${sample.client_id}`);
      await page.locator("section button[value=send]").click();
      await page.locator(".exchange .tag.good").waitFor();
    }],
    ["debugger-refused", async (page) => {
      await page.goto("/console/debugger/client-credentials");
      await page.locator("#client_id").fill("nobody");
      await page.locator("#client_secret").fill("wrong");
      await page.locator("section button[value=send]").click();
      await page.locator(".why.bad").waitFor();
    }],
    ["inspector-verdict", async (page) => {
      const token = await issue(page);
      await page.goto("/console/debugger/token");
      await page.locator("#token").fill(token);
      await press(page, "Inspect");
      await page.getByText(/^Accepted: /).waitFor();
    }],
    ["quickstart-run", async (page) => {
      await page.goto("/console/quickstart");
      for (const request of ["get-private-no-token", "token-client-credentials", "get-private-scoped"]) {
        await page.locator(`button[value=${request}]`).click();
        await page.locator(`#${request} .exchange`).waitFor();
      }
    }],
    ["test-refused", async (page) => {
      await page.goto(`${testTab}?application=${reader.client_id}`);
      await page.locator("input[name=scope][value='write:messages']").check();
      await press(page, "Issue a token");
      await page.locator(".why.bad").waitFor();
    }],
    ["test-forbidden", async (page) => {
      await page.goto(`${testTab}?application=${sample.client_id}`);
      await page.locator("input[name=scope][value='write:messages']").check();
      await press(page, "Issue a token");
      await page.locator("#access-token").waitFor();
      await page.locator("#url").fill((await page.locator("#url").inputValue()).replace(/private$/, "private-scoped"));
      await press(page, "Send");
      await page.locator(".why.bad").waitFor();
    }],
    ["applications-next", async (page) => {
      await page.goto("/console/applications?q=Till");
      await page.getByRole("link", { name: "Next page" }).click();
      await page.getByRole("link", { name: "First page" }).waitFor();
    }],
    ["credentials-secret", async (page) => {
      await page.goto(applicationPage(sample.client_id, "/credentials"));
      await press(page, "Show the secret");
      await page.locator("#secret").waitFor();
    }],
    ["credentials-pair", async (page) => {
      await page.goto("/console/applications/new");
      await page.locator("#name").fill("Signs with a key");
      await press(page, "Create application");
      await page.locator(".notice").waitFor();
      await page.goto(`${/^\/console\/applications\/[^/]+/.exec(new URL(page.url()).pathname)[0]}/credentials`);
      await press(page, "Generate a key pair");
      const pem = await page.locator("#private").textContent();
      secret(pem.split("\n")[1]);
    }],
    ["administrator-link", async (page) => {
      await page.goto("/console/settings");
      await page.locator("#email").fill("hedy@example.org");
      await press(page, "Add");
      secret(new URL(await page.locator("#link").textContent()).searchParams.get("key"));
    }],
    ["keys-too-early", async (page) => {
      await rotated(page);
      await page.getByRole("button", { name: /^Rotate RS256/ }).click();
      await page.getByRole("button", { name: "Rotate RS256 at once" }).waitFor();
    }],
    ["apis-new-refused", async (page) => {
      await page.goto("/console/apis/new");
      await page.locator("#identifier").fill(facts.audience);
      await press(page, "Create API");
      await page.locator(".problem").waitFor();
    }],
    ["users-new-refused", async (page) => {
      await page.goto("/console/users/new");
      await page.locator("#email").fill("weak@example.org");
      await page.locator("#password").fill("");
      await page.evaluate(() => (document.querySelector("#password").form.noValidate = true));
      await press(page, "Create user");
      await page.locator(".problem").waitFor();
    }],
    ["applications-one-usage", (page) => page.goto(applicationPage(reader.client_id, "/usage"))],
    ["usage-quotas", (page) => page.goto("/console/usage")],
  ];
}

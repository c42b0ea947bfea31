// Runs a C# snippet on mono, whose compiler takes no `async Task Main` for an entry; the snippet itself is unchanged.
// It leaves through libc: after HttpClient, mono's own exit now and then takes a minute.

using System;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Threading.Tasks;

static class Entry
{
    [DllImport("libc", EntryPoint = "_exit")]
    static extern void Leave(int code);

    static void Main()
    {
        try
        {
            var main = typeof(Program).GetMethod("Main", BindingFlags.NonPublic | BindingFlags.Static);
            ((Task)main.Invoke(null, null)).GetAwaiter().GetResult();
        }
        catch (Exception error)
        {
            Console.Error.WriteLine(error);
            Console.Error.Flush();
            Leave(1);
        }
        Console.Out.Flush();
        Leave(0);
    }
}
